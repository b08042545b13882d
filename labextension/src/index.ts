// What JupyterLab and Notebook 7 load: the commands, where they are found, and what follows the notebooks.

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Api, IPlan } from './api';
import { paint } from './badges';
import { Exports } from './exports';
import { keepInStep } from './form';
import { packageIcon } from './icon';
import { IDefaults, Sheet } from './sheet';
import { Source } from './source';

const EXPORT = 'nb2pkg:export';
const EXPORT_SELECTED = 'nb2pkg:export-selected';
const TOGGLE_BADGES = 'nb2pkg:toggle-badges';
const SETTLED = 1500;

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'nb2pkg-labextension:plugin',
  description: 'Exports notebooks as Python packages with a DVC pipeline.',
  autoStart: true,
  optional: [
    INotebookTracker,
    ICommandPalette,
    ISettingRegistry,
    ITranslator,
    IFileBrowserFactory,
    IDefaultFileBrowser
  ],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    palette: ICommandPalette | null,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    browsers: IFileBrowserFactory | null,
    defaultBrowser: IDefaultFileBrowser | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nb2pkg');
    const { contents, serverSettings } = app.serviceManager;
    const api = new Api(serverSettings);
    let settings: ISettingRegistry.ISettings | null = null;
    let available = true;
    let sheet: Sheet | null = null;

    const setting = <T>(name: string, otherwise: T): T => (settings?.get(name).composite as T | undefined) ?? otherwise;
    const defaults = (): IDefaults => ({
      folder: setting('folder', ''),
      seed: setting<number | null>('seed', null),
      verify: setting('verify', false),
      profile: setting('profile', false),
      zip: setting('zip', false),
      git: setting('git', true)
    });

    // -- the dialog ------------------------------------------------------------------------------------------------

    const panelOf = (path: string): NotebookPanel | null => tracker?.find(each => each.context.path === path) ?? null;
    const panelOnServer = (path: string): NotebookPanel | null =>
      tracker?.find(each => contents.localPath(each.context.path) === path) ?? null;

    const open = async (path: string) => {
      sheet?.dispose();
      const panel = panelOf(path) ?? panelOnServer(path);
      await panel?.context.ready;
      const source = new Source(panel?.context.path ?? path, panel, contents);
      sheet = new Sheet({
        source,
        api,
        contents,
        trans,
        defaults: defaults(),
        onPlan: plan => {
          if (panel && !panel.isDisposed) {
            paint(panel, plan ?? (setting('badges', false) ? (plans.get(panel) ?? null) : null), trans);
            if (plan) {
              plans.set(panel, plan);
            }
          }
        },
        onJob: job => void exports.watch(job)
      });
      sheet.disposed.connect(() => {
        sheet = null;
      });
      panel?.disposed.connect(() => sheet?.source === source && sheet.dispose());
      sheet.open();
    };

    const exports = new Exports({
      app,
      api,
      trans,
      refreshFiles: () => void (defaultBrowser ?? browsers?.tracker.currentWidget)?.model.refresh(),
      showCell: (path, cell) => {
        const panel = panelOnServer(path);
        if (panel) {
          app.shell.activateById(panel.id);
          void new Source(path, panel, contents).show(cell);
        }
      },
      again: path => void open(path)
    });

    // -- badges that stay ------------------------------------------------------------------------------------------

    const plans = new WeakMap<NotebookPanel, IPlan>();
    const refreshBadges = async (panel: NotebookPanel) => {
      if (panel.isDisposed || (sheet && sheet.source.panel === panel)) {
        return;
      }
      if (!setting('badges', false) || !available) {
        paint(panel, null, trans);
        return;
      }
      try {
        const source = new Source(panel.context.path, panel, contents);
        const { content, saved } = await source.snapshot();
        plans.set(panel, await api.plan(source.serverPath, saved ? null : content));
        paint(panel, plans.get(panel) ?? null, trans);
      } catch {
        paint(panel, null, trans); // no plan, so no badges: the dialog says why
      }
    };
    tracker?.widgetAdded.connect((_, panel) => {
      void panel.context.ready.then(() => {
        let timer = 0;
        keepInStep(panel);
        void refreshBadges(panel);
        panel.content.model?.contentChanged.connect(() => {
          window.clearTimeout(timer);
          timer = window.setTimeout(() => void refreshBadges(panel), SETTLED);
        });
      });
    });

    // -- commands --------------------------------------------------------------------------------------------------

    const current = (): NotebookPanel | null => {
      const panel = tracker?.currentWidget ?? null;
      return panel && panel === app.shell.currentWidget ? panel : null;
    };
    const missing = () =>
      Notification.error(
        trans.__('This server has no nb2pkg: install it where the server runs, pip install "nb2pkg[jupyter]".'),
        { autoClose: false }
      );

    app.commands.addCommand(EXPORT, {
      label: args => (args.toolbar ? '' : trans.__('Export as Package…')),
      caption: trans.__('Export this notebook as a Python package with a DVC pipeline'),
      icon: args => (args.isPalette ? undefined : packageIcon),
      isEnabled: () => current() !== null,
      execute: async () => {
        const panel = current();
        if (panel) {
          await (available ? open(panel.context.path) : missing());
        }
      }
    });
    app.commands.addCommand(EXPORT_SELECTED, {
      label: trans.__('Export as Package…'),
      icon: packageIcon,
      execute: async () => {
        const browser = browsers?.tracker.currentWidget ?? defaultBrowser;
        const items = browser ? Array.from(browser.selectedItems()) : [];
        const item = items.find(each => each.type === 'notebook');
        if (item) {
          await (available ? open(item.path) : missing());
        }
      }
    });
    app.commands.addCommand(TOGGLE_BADGES, {
      label: trans.__('Show Package Sections'),
      caption: trans.__('Show on each cell which section of the package it belongs to'),
      isToggled: () => setting('badges', false),
      isEnabled: () => settings !== null,
      execute: () => settings?.set('badges', !setting('badges', false))
    });
    const category = trans.__('Notebook Operations');
    palette?.addItem({ command: EXPORT, category, args: { isPalette: true } });
    palette?.addItem({ command: TOGGLE_BADGES, category });

    // -- the rest, when all is there -------------------------------------------------------------------------------

    registry
      ?.load(plugin.id)
      .then(found => {
        settings = found;
        const changed = () => tracker?.forEach(panel => void refreshBadges(panel));
        found.changed.connect(changed);
        app.commands.notifyCommandChanged(TOGGLE_BADGES);
        changed();
      })
      .catch(error => console.warn('nb2pkg: no settings', error));
    const asked = api.available(); // at once: the server gets ready while the page is still loading
    void app.restored.then(async () => {
      available = await asked;
      if (available) {
        await exports.resume().catch(error => console.warn('nb2pkg: no jobs', error));
      }
    });
  }
};

export default plugin;
