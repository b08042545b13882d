// Exports after they began: their progress, their end, and finding them again after a reload or a lost connection.

import { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, Notification, ReactWidget, showDialog } from '@jupyterlab/apputils';
import { PageConfig, PathExt, URLExt } from '@jupyterlab/coreutils';
import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Api, IJob, IResult, Refused, Unreachable } from './api';
import { DiagnosticList } from './sheet';

const PAUSE = 300;
const LONGEST_PAUSE = 5000;
const STORED = 'nb2pkg:watched';

export interface IExportsOptions {
  app: JupyterFrontEnd;
  api: Api;
  trans: TranslationBundle;
  refreshFiles: () => void;
  /** Show a cell of a notebook, where that is open. */
  showCell: (notebook: string, cell: number) => void;
  /** Open the dialog again for a notebook. */
  again: (notebook: string) => void;
}

export class Exports {
  constructor(private options: IExportsOptions) {}

  /** Follow a job until it ends, and tell how it did. */
  async watch(job: IJob): Promise<void> {
    const { api, trans } = this.options;
    if (this.watched.has(job.id)) {
      return;
    }
    this.watched.add(job.id);
    this.store();
    const what = job.out || trans.__('the zip of %1', PathExt.basename(job.notebook));
    const actions: Notification.IAction[] = [
      {
        label: trans.__('Cancel'),
        caption: trans.__('Stop this export; nothing is left of it'),
        callback: event => {
          event.preventDefault();
          void api.end(job.id);
        }
      }
    ];
    const id = Notification.emit(trans.__('Exporting to %1…', what), 'in-progress', { autoClose: false, actions });
    let pause = PAUSE;
    while (job.state === 'queued' || job.state === 'running') {
      await new Promise(resolve => window.setTimeout(resolve, pause));
      try {
        job = await api.job(job.id);
        pause = PAUSE;
        Notification.update({ id, message: `${trans.__('Exporting to %1', what)}: ${this.progress(job)}` });
      } catch (error) {
        if (error instanceof Unreachable || (error instanceof Refused && error.status >= 500)) {
          pause = Math.min(2 * pause, LONGEST_PAUSE);
          const message = trans.__('Exporting to %1: the connection is lost, trying again…', what);
          Notification.update({ id, message });
        } else {
          const message = trans.__('The server no longer knows of the export to %1. Was it restarted?', what);
          Notification.update({ id, message, type: 'error', actions: [], autoClose: false });
          this.forget(job.id);
          return;
        }
      }
    }
    this.forget(job.id);
    await this.ended(job, id, what);
  }

  /** Follow what was under way before this page was loaded. */
  async resume(): Promise<void> {
    const stored = new Set(JSON.parse(window.sessionStorage.getItem(STORED) ?? '[]') as string[]);
    const jobs = await this.options.api.jobs();
    for (const job of jobs) {
      if (job.state === 'queued' || job.state === 'running' || stored.has(job.id)) {
        void this.watch(job);
      }
    }
  }

  private async ended(job: IJob, id: string, what: string): Promise<void> {
    const { trans, again } = this.options;
    const result = job.result;
    if (job.state === 'cancelled') {
      const message = trans.__('The export to %1 was cancelled; nothing is left of it.', what);
      Notification.update({ id, message, type: 'warning', actions: [], autoClose: 5000 });
      return;
    }
    if (job.state === 'failed' || !result) {
      const code = job.error?.code ? ` [${job.error.code}]` : '';
      const cell = job.error?.cell;
      const actions: Notification.IAction[] = [
        { label: trans.__('Try again…'), callback: () => again(job.notebook) }
      ];
      if (cell !== null && cell !== undefined) {
        actions.unshift({
          label: trans.__('Show cell %1', cell + 1),
          displayType: 'accent',
          callback: event => {
            event.preventDefault();
            this.options.showCell(job.notebook, cell);
          }
        });
      }
      const message = trans.__('%1 was not written: %2', what, (job.error?.message ?? job.state) + code);
      Notification.update({ id, message, type: 'error', actions, autoClose: false });
      return;
    }
    this.options.refreshFiles();
    const different = result.equivalence && !result.equivalence.equivalent;
    Notification.update({
      id,
      message: this.summary(result),
      type: different ? 'warning' : 'success',
      autoClose: false,
      actions: this.after(job, result)
    });
    if (!result.out) {
      await this.download(job, result);
    }
  }

  private summary(result: IResult): string {
    const { trans } = this.options;
    const stages = trans._n('%1 stage', '%1 stages', result.stages.length);
    const lines = [trans.__('%1: package %2, %3', result.out || `${result.package}.zip`, result.package, stages)];
    if (result.equivalence) {
      lines.push(result.equivalence.summary);
    }
    const doubts = result.diagnostics.filter(each => each.severity !== 'info').length;
    if (doubts) {
      lines.push(trans._n('%1 thing to know', '%1 things to know', doubts));
    }
    return lines.join(' · ');
  }

  private after(job: IJob, result: IResult): Notification.IAction[] {
    const { trans } = this.options;
    const kept = (action: () => unknown) => (event: MouseEvent) => {
      event.preventDefault(); // else the message goes away
      action();
    };
    const actions: Notification.IAction[] = [];
    if (result.readme) {
      actions.push(
        {
          label: trans.__('Open folder'),
          displayType: 'accent',
          caption: trans.__('Open the folder of the package'),
          callback: kept(() => this.openFolder(result.out))
        },
        {
          label: trans.__('README'),
          caption: trans.__('Open the README of the package'),
          callback: kept(() => this.openFile(result.readme))
        }
      );
    }
    actions.push(
      {
        label: trans.__('Zip'),
        caption: trans.__('Download the package as a zip'),
        callback: kept(() => void this.download(job, result))
      },
      { label: trans.__('Details'), callback: kept(() => void this.details(job, result)) }
    );
    return actions;
  }

  private async details(job: IJob, result: IResult): Promise<void> {
    const { trans, showCell } = this.options;
    const body = ReactWidget.create(<Details job={job} result={result} trans={trans} showCell={showCell} />);
    body.addClass('nb2pkg-details');
    const title = trans.__('The package %1', result.package);
    await showDialog({ title, body, buttons: [Dialog.okButton({ label: trans.__('Close') })] });
  }

  private openFolder(path: string): void {
    const { commands } = this.options.app;
    if (commands.hasCommand('filebrowser:open-path')) {
      void commands.execute('filebrowser:open-path', { path });
    } else {
      // a page of Notebook 7 has no file browser: the folder's page is another tab
      window.open(URLExt.join(PageConfig.getBaseUrl(), 'tree', URLExt.encodeParts(path)), '_blank');
    }
  }

  private openFile(path: string): void {
    const { commands } = this.options.app;
    void commands.execute('docmanager:open', { path, factory: 'Markdown Preview' });
  }

  private async download(job: IJob, result: IResult): Promise<void> {
    const { api, trans } = this.options;
    try {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await api.archive(job.id));
      link.download = `${result.package}.zip`;
      document.body.appendChild(link);
      link.click();
      link.remove();
      window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      Notification.error(trans.__('No zip: %1', error instanceof Error ? error.message : String(error)));
    }
  }

  private progress(job: IJob): string {
    const { trans } = this.options;
    if (job.state === 'queued') {
      return trans.__('waiting for its turn');
    }
    const { step, done, total, detail } = job.progress;
    const words: { [step: string]: string } = {
      profile: trans.__('running the notebook once'),
      read: trans.__('reading the notebook'),
      analyse: trans.__('analysing the code'),
      section: trans.__('finding sections'),
      refactor: trans.__('naming constants'),
      plan: trans.__('planning stages'),
      emit: trans.__('composing modules'),
      write: trans.__('writing files'),
      verify: trans.__('verifying')
    };
    const where = step ? (words[step] ?? step) : trans.__('starting');
    const count = total ? ` (${Math.min((done ?? 0) + 1, total)}/${total})` : '';
    return `${where}${detail ? `: ${detail}` : ''}${count}`;
  }

  private forget(id: string): void {
    this.watched.delete(id);
    this.store();
  }

  private store(): void {
    window.sessionStorage.setItem(STORED, JSON.stringify(Array.from(this.watched)));
  }

  private watched = new Set<string>();
}

function Details(props: {
  job: IJob;
  result: IResult;
  trans: TranslationBundle;
  showCell: (notebook: string, cell: number) => void;
}): JSX.Element {
  const { job, result, trans, showCell } = props;
  const same = result.equivalence;
  return (
    <>
      <p>
        {result.out
          ? trans.__('Written to %1, with the stages:', result.out)
          : trans.__('In the zip, with the stages:')}
      </p>
      <ol>
        {result.stages.map(stage => (
          <li key={stage}>
            <code>{stage}</code>
          </li>
        ))}
      </ol>
      <p>
        {trans.__('Next: in that folder, ')} <code>dvc repro</code>
      </p>
      <h3>{trans.__('Equivalence')}</h3>
      {same ? (
        <>
          <p>{same.summary}</p>
          <ul>
            {same.differences.map(each => (
              <li key={each}>{each}</li>
            ))}
          </ul>
        </>
      ) : (
        <p>{trans.__('Not verified: choose Verify to run the notebook and the package and compare them.')}</p>
      )}
      {result.diagnostics.length > 0 && (
        <>
          <h3>{trans.__('What to know')}</h3>
          <DiagnosticList
            diagnostics={result.diagnostics}
            trans={trans}
            link={cell => (
              <button className="nb2pkg-link" onClick={() => showCell(job.notebook, cell)}>
                {trans.__('Cell %1', cell + 1)}
              </button>
            )}
          />
        </>
      )}
    </>
  );
}
