// The dialog: a sheet at the right edge, beside which the notebook stays in sight and usable. First what the notebook
// would become, and may become instead; then where to, and how.

import { ReactWidget } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { Contents } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { Api, IDiagnostic, IJob, IOptions, IPlan, Refused } from './api';
import { colourOf } from './colours';
import { Graph } from './graph';
import {
  boundariesOf,
  followed,
  IBoundary,
  merged,
  moved,
  renamed,
  split,
  tagged
} from './outline';
import { firstLine, ISnapshot, Source } from './source';

const SETTLED = 500;
const OPEN = 'nb2pkg-open';
const LARGEST_SEED = 2 ** 32 - 1;
/** What the user does; until then, the focus is the dialog's. */
const ACTS = ['keydown', 'pointerdown'];

/** What JupyterLab's settings say. */
export interface IDefaults {
  folder: string;
  seed: number | null;
  verify: boolean;
  profile: boolean;
  zip: boolean;
  git: boolean;
}

export interface ISheetOptions {
  source: Source;
  api: Api;
  contents: Contents.IManager;
  defaults: IDefaults;
  trans: TranslationBundle;
  /** A plan was made of the notebook on the screen; null: the sheet is gone. */
  onPlan: (plan: IPlan | null) => void;
  onJob: (job: IJob) => void;
}

export class Sheet extends ReactWidget {
  constructor(private options: ISheetOptions) {
    super();
    this.id = 'nb2pkg-sheet';
    this.addClass('nb2pkg-sheet');
    this.node.setAttribute('role', 'dialog');
    this.node.setAttribute('aria-modal', 'false');
    this.node.setAttribute('aria-labelledby', 'nb2pkg-title');
    this.before = document.activeElement;
    this.node.addEventListener('keydown', this);
  }

  get source(): Source {
    return this.options.source;
  }

  open(): void {
    Widget.attach(this, document.body);
  }

  handleEvent(event: KeyboardEvent): void {
    event.stopPropagation(); // the notebook's shortcuts are not for here
    if (event.key === 'Escape') {
      event.preventDefault();
      this.dispose();
    }
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.letGo();
      document.body.classList.remove(OPEN);
      this.options.onPlan(null);
      super.dispose();
      if (this.before instanceof HTMLElement) {
        this.before.focus();
      }
    }
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    document.body.classList.add(OPEN);
    this.node.tabIndex = -1;
    this.node.focus();
    document.addEventListener('focusin', this.takeBack);
    ACTS.forEach(act => document.addEventListener(act, this.letGo, true));
  }

  /** The command palette, which opened this, gives the focus to where it was before, at a time of its own. */
  private takeBack = (event: FocusEvent): void => {
    const target = event.target as Element;
    if (!this.node.contains(target) && !target.closest('.jp-Dialog')) {
      this.node.focus();
    }
  };

  private letGo = (): void => {
    document.removeEventListener('focusin', this.takeBack);
    ACTS.forEach(act => document.removeEventListener(act, this.letGo, true));
  };

  protected render(): JSX.Element {
    return <Body {...this.options} close={() => this.dispose()} />;
  }

  private before: Element | null;
}

interface IState {
  snapshot: ISnapshot | null;
  plan: IPlan | null;
  /** What the user wants instead; null: as the notebook says. */
  wanted: IBoundary[] | null;
  refused: { message: string; cell: number | null } | null;
  busy: boolean;
}

type Props = ISheetOptions & { close: () => void };

function Body(props: Props): JSX.Element {
  const { source, api, trans, onPlan, defaults } = props;
  const [state, setState] = React.useState<IState>({
    snapshot: null,
    plan: null,
    wanted: null,
    refused: null,
    busy: true
  });
  // What changes the plan: the package's name, and the seed as it was typed.
  const [name, setName] = React.useState('');
  const [seed, setSeed] = React.useState(defaults.seed === null ? '' : String(defaults.seed));
  const turn = React.useRef(0);
  const latest = React.useRef(state);
  latest.current = state;
  const chosenNow = React.useRef<IOptions>({});
  chosenNow.current = chosen(name, seed);

  const replan = React.useCallback(
    async (wanted: IBoundary[] | null, chosen: IOptions) => {
      const mine = ++turn.current;
      setState(old => ({ ...old, wanted, busy: true }));
      let snapshot: ISnapshot | null = null;
      try {
        snapshot = await source.snapshot();
        const old = latest.current.snapshot;
        const followedUp = wanted && old ? followed(wanted, old.ids, snapshot.ids) : wanted;
        const content = contentFor(snapshot, followedUp);
        const plan = await api.plan(source.serverPath, content, chosen);
        if (mine === turn.current) {
          setState({ snapshot, plan, wanted: followedUp && boundariesOf(plan), refused: null, busy: false });
          onPlan(plan);
        }
      } catch (error) {
        if (mine === turn.current) {
          const cell = error instanceof Refused ? error.cell : null;
          const refused = { message: said(error, trans), cell };
          setState(old => ({ ...old, snapshot: snapshot ?? old.snapshot, refused, busy: false }));
        }
      }
    },
    [source, api]
  );

  React.useEffect(() => {
    void replan(null, chosenNow.current);
    const model = source.panel?.content.model;
    let timer = 0;
    const changed = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => void replan(latest.current.wanted, chosenNow.current), SETTLED);
    };
    model?.contentChanged.connect(changed);
    return () => {
      turn.current += 1;
      window.clearTimeout(timer);
      model?.contentChanged.disconnect(changed);
    };
  }, []);

  const { snapshot, plan, wanted, refused, busy } = state;
  const change = (next: IBoundary[] | null) => void replan(next, chosenNow.current);

  return (
    <>
      <header className="nb2pkg-header">
        <h2 id="nb2pkg-title">{trans.__('Export %1 as a package', PathExt.basename(source.serverPath))}</h2>
        <button className="nb2pkg-close jp-mod-styled" onClick={props.close} aria-label={trans.__('Close')}>
          <closeIcon.react tag="span" />
        </button>
      </header>
      <div className="nb2pkg-body" aria-busy={busy}>
        {refused && (
          <div className="nb2pkg-refused" role="alert">
            <p>{refused.message}</p>
            {refused.cell !== null && <CellLink cell={refused.cell} {...props} />}
          </div>
        )}
        {!plan && !refused && <p role="status">{trans.__('Reading the notebook…')}</p>}
        {plan && snapshot && (
          <div className={refused ? 'nb2pkg-stale' : ''}>
            <section aria-labelledby="nb2pkg-sections">
              <h3 id="nb2pkg-sections">
                {trans.__('Sections')}
                {wanted && (
                  <button className="nb2pkg-quiet" onClick={() => change(null)}>
                    {trans.__('Undo my changes')}
                  </button>
                )}
              </h3>
              <Sections {...props} plan={plan} snapshot={snapshot} change={change} />
            </section>
            <section aria-labelledby="nb2pkg-pipeline">
              <h3 id="nb2pkg-pipeline">{trans.__('Pipeline')}</h3>
              <Graph plan={plan} trans={trans} />
            </section>
            <Diagnostics {...props} plan={plan} />
            <Constants {...props} plan={plan} />
          </div>
        )}
      </div>
      <Options
        {...props}
        defaults={defaults}
        plan={plan}
        ready={plan !== null && refused === null && !busy}
        busy={busy}
        name={name}
        setName={text => {
          setName(text);
          void replan(wanted, chosen(text, seed));
        }}
        seed={seed}
        setSeed={text => {
          setSeed(text);
          void replan(wanted, chosen(name, text));
        }}
        prepare={async () => {
          if (wanted) {
            await source.keep(wanted);
          }
          const now = await source.snapshot();
          return now.saved ? null : now.content;
        }}
      />
    </>
  );
}

const isSeed = (text: string) => /^\d{1,10}$/.test(text) && Number(text) <= LARGEST_SEED;

/** The options that change the plan. */
function chosen(name: string, seed: string): IOptions {
  return { ...(name && { package: name }), ...(isSeed(seed) && { seed: Number(seed) }) };
}

/** What the server has to be sent: nothing where it has the same. */
function contentFor(snapshot: ISnapshot, wanted: IBoundary[] | null) {
  if (wanted) {
    return tagged(snapshot.content, wanted);
  }
  return snapshot.saved ? null : snapshot.content;
}

function said(error: unknown, trans: TranslationBundle): string {
  if (error instanceof Refused) {
    return error.code ? `${error.message} [${error.code}]` : error.message;
  }
  return trans.__('The server does not answer: %1', error instanceof Error ? error.message : String(error));
}

function CellLink({ cell, source, trans }: Props & { cell: number }): JSX.Element {
  const there = source.panel !== null;
  const label = trans.__('Cell %1', cell + 1);
  return there ? (
    <button className="nb2pkg-link" onClick={() => void source.show(cell)} title={trans.__('Show the cell')}>
      {label}
    </button>
  ) : (
    <span>{label}</span>
  );
}

// -- sections ------------------------------------------------------------------------------------------------------

interface ISectionsProps {
  plan: IPlan;
  snapshot: ISnapshot;
  change: (wanted: IBoundary[] | null) => void;
}

function Sections(props: Props & ISectionsProps): JSX.Element {
  const { plan, snapshot, change, trans, source } = props;
  const boundaries = boundariesOf(plan);
  const cells = snapshot.content.cells;
  const codeCells = cells.map((cell, index) => (cell.cell_type === 'code' ? index : -1)).filter(index => index >= 0);
  return (
    <ol className="nb2pkg-sections">
      {plan.sections.map((section, index) => {
        const start = boundaries[index];
        const next = boundaries[index + 1];
        const last = next ? (next.line > 1 ? next.cell : next.cell - 1) : cells.length - 1;
        const own = codeCells.filter(cell => (index === 0 || cell >= start.cell) && cell <= last);
        const earlier = moved(boundaries, index, -1, codeCells);
        const later = moved(boundaries, index, 1, codeCells);
        return (
          <li key={`${start.cell} ${start.line}`} className="nb2pkg-section" style={{ borderColor: colourOf(index) }}>
            <div className="nb2pkg-row">
              <Name
                name={section.name}
                label={trans.__('Name of section %1', index + 1)}
                colour={colourOf(index)}
                commit={text => change(renamed(boundaries, index, text))}
              />
              <span className="nb2pkg-reason">
                {section.reason}
                {section.stage !== section.name && (
                  <strong> {trans.__('Its code goes into the stage %1.', section.stage)}</strong>
                )}
              </span>
              {index > 0 && (
                <span className="nb2pkg-tools" role="group" aria-label={trans.__('Boundary of %1', section.name)}>
                  <button
                    disabled={!earlier}
                    onClick={() => change(earlier)}
                    title={trans.__('Begin one cell earlier')}
                    aria-label={trans.__('Begin %1 one cell earlier', section.name)}
                  >
                    ↑
                  </button>
                  <button
                    disabled={!later}
                    onClick={() => change(later)}
                    title={trans.__('Begin one cell later')}
                    aria-label={trans.__('Begin %1 one cell later', section.name)}
                  >
                    ↓
                  </button>
                  <button
                    onClick={() => change(merged(boundaries, index))}
                    title={trans.__('Merge with the section above')}
                    aria-label={trans.__('Merge %1 with the section above', section.name)}
                  >
                    {trans.__('Merge')}
                  </button>
                </span>
              )}
            </div>
            <ul className="nb2pkg-cells">
              {own.map((cell, place) => (
                <li key={cell}>
                  <button
                    className="nb2pkg-cell"
                    onClick={() => void source.show(cell)}
                    disabled={source.panel === null}
                    title={trans.__('Show the cell')}
                  >
                    <span>{cell + 1}</span>
                    <code>
                      {cell === start.cell && start.line > 1 && trans.__('line %1: ', start.line)}
                      {firstLine(cells[cell])}
                    </code>
                  </button>
                  {place > 0 && (
                    <button
                      className="nb2pkg-quiet nb2pkg-split"
                      onClick={() => change(split(boundaries, cell))}
                      aria-label={trans.__('Split %1 before cell %2', section.name, cell + 1)}
                    >
                      {trans.__('Split here')}
                    </button>
                  )}
                </li>
              ))}
            </ul>
          </li>
        );
      })}
    </ol>
  );
}

function Name(props: { name: string; label: string; colour: string; commit: (text: string) => void }): JSX.Element {
  const [text, setText] = React.useState(props.name);
  React.useEffect(() => setText(props.name), [props.name]);
  const done = () => {
    const clean = text.trim();
    if (clean && clean !== props.name) {
      props.commit(clean);
    } else {
      setText(props.name);
    }
  };
  return (
    <input
      className="nb2pkg-name"
      style={{ background: props.colour, width: `${Math.max(8, text.length + 3)}ch` }}
      aria-label={props.label}
      value={text}
      spellCheck={false}
      onChange={event => setText(event.target.value)}
      onBlur={done}
      onKeyDown={event => {
        if (event.key === 'Enter') {
          event.preventDefault();
          done();
        }
      }}
    />
  );
}

// -- what else the plan says ---------------------------------------------------------------------------------------

export function DiagnosticList(
  props: { diagnostics: IDiagnostic[]; link: (cell: number) => React.ReactNode; trans: TranslationBundle }
): JSX.Element {
  const order = { error: 0, warning: 1, info: 2 };
  const sorted = [...props.diagnostics].sort((one, other) => order[one.severity] - order[other.severity]);
  const words = { error: props.trans.__('error'), warning: props.trans.__('warning'), info: props.trans.__('note') };
  return (
    <ul className="nb2pkg-diagnostics">
      {sorted.map((each, index) => (
        <li key={index} data-severity={each.severity}>
          <span className="nb2pkg-severity">{words[each.severity]}</span>
          <span>
            {each.message} <span className="nb2pkg-code">{each.code}</span>
          </span>
          {each.cell !== null && props.link(each.cell)}
        </li>
      ))}
    </ul>
  );
}

function Diagnostics(props: Props & { plan: IPlan }): JSX.Element | null {
  const { plan, trans } = props;
  if (plan.diagnostics.length === 0) {
    return null;
  }
  return (
    <section aria-labelledby="nb2pkg-doubts">
      <h3 id="nb2pkg-doubts">{trans.__('What to know')}</h3>
      <DiagnosticList
        diagnostics={plan.diagnostics}
        trans={trans}
        link={cell => <CellLink {...props} cell={cell} />}
      />
    </section>
  );
}

function Constants(props: Props & { plan: IPlan }): JSX.Element | null {
  const { plan, trans } = props;
  if (plan.constants.length === 0) {
    return null;
  }
  return (
    <details className="nb2pkg-constants">
      <summary>{trans._n('%1 constant in const.py', '%1 constants in const.py', plan.constants.length)}</summary>
      <table>
        <thead>
          <tr>
            <th>{trans.__('Name')}</th>
            <th>{trans.__('Value')}</th>
            <th>{trans.__('Used by')}</th>
            <th>{trans.__('From')}</th>
          </tr>
        </thead>
        <tbody>
          {plan.constants.map(each => (
            <tr key={each.name}>
              <td>
                <code>{each.name}</code>
              </td>
              <td>
                <code>{each.value}</code>
              </td>
              <td>{each.stages.join(', ')}</td>
              <td>
                <CellLink {...props} cell={each.cell} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

// -- where to, and how ---------------------------------------------------------------------------------------------

interface IOptionsProps {
  plan: IPlan | null;
  ready: boolean;
  busy: boolean;
  name: string;
  setName: (text: string) => void;
  seed: string;
  setSeed: (text: string) => void;
  prepare: () => Promise<ISnapshot['content'] | null>;
}

function Options(props: Props & IOptionsProps): JSX.Element {
  const { api, source, contents, defaults, plan, trans } = props;
  const parent = defaults.folder.replace(/^\/+|\/+$/g, '') || PathExt.dirname(source.serverPath);
  const packageName = props.name || plan?.package || '';
  const [folder, setFolder] = React.useState<string | null>(null);
  const [zip, setZip] = React.useState(defaults.zip);
  const [verify, setVerify] = React.useState(defaults.verify);
  const [profile, setProfile] = React.useState(defaults.profile);
  const [overwrite, setOverwrite] = React.useState(false);
  const [error, setError] = React.useState('');
  const [sending, setSending] = React.useState(false);
  const [known, setKnown] = React.useState<string[]>([]);
  const out = folder ?? [parent, packageName].filter(Boolean).join('/');
  const nameIsBad = props.name !== '' && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(props.name);
  const seedIsBad = props.seed !== '' && !isSeed(props.seed);
  const open = PathExt.dirname(out);

  React.useEffect(() => {
    let gone = false;
    const drive = contents.driveName(source.path);
    contents
      .get(drive ? `${drive}:${open}` : open, { type: 'directory', content: true })
      .then(found => {
        const folders = (found.content as Contents.IModel[]).filter(each => each.type === 'directory');
        if (!gone) {
          setKnown(folders.map(each => contents.localPath(each.path)));
        }
      })
      .catch(() => setKnown([]));
    return () => {
      gone = true;
    };
  }, [open]);

  const submit = async (event: React.FormEvent) => {
    event.preventDefault();
    if (!props.ready || sending || nameIsBad || seedIsBad) {
      return;
    }
    setSending(true);
    setError('');
    const how = { overwrite: overwrite && !zip, verify, profile, git: defaults.git };
    const options: IOptions = { ...chosen(props.name, props.seed), ...how };
    try {
      const content = await props.prepare();
      const job = await api.export(source.serverPath, content, zip ? '' : out.replace(/\/+$/, ''), options);
      props.close();
      props.onJob(job);
    } catch (failed) {
      setError(said(failed, trans));
      setSending(false);
    }
  };

  return (
    <form className="nb2pkg-options" onSubmit={event => void submit(event)} aria-label={trans.__('Options')}>
      <div className="nb2pkg-fields">
        <label>
          <span>{trans.__('Package')}</span>
          <input
            name="nb2pkg-package"
            className="jp-mod-styled"
            value={props.name}
            placeholder={plan?.package}
            aria-invalid={nameIsBad}
            onChange={event => props.setName(event.target.value)}
          />
        </label>
        <label>
          <span>{trans.__('Folder')}</span>
          <input
            name="nb2pkg-out"
            className="jp-mod-styled"
            value={out}
            list="nb2pkg-folders"
            disabled={zip}
            onChange={event => setFolder(event.target.value)}
          />
          <datalist id="nb2pkg-folders">
            {known.map(each => (
              <option key={each} value={each} />
            ))}
          </datalist>
        </label>
        <label title={trans.__('Seeds every call that draws without a seed; changes results')}>
          <span>{trans.__('Seed')}</span>
          <input
            name="nb2pkg-seed"
            className="jp-mod-styled"
            inputMode="numeric"
            value={props.seed}
            placeholder={trans.__('none')}
            aria-invalid={seedIsBad}
            onChange={event => props.setSeed(event.target.value.trim())}
          />
        </label>
      </div>
      <div className="nb2pkg-checks">
        <Check label={trans.__('Download a zip instead')} name="zip" value={zip} set={setZip} />
        <Check label={trans.__('Verify (runs notebook and package)')} name="verify" value={verify} set={setVerify} />
        <Check
          label={trans.__('Profile (runs the notebook once, and plans with what is seen)')}
          name="profile"
          value={profile}
          set={setProfile}
        />
        <Check label={trans.__('Overwrite')} name="overwrite" value={overwrite} set={setOverwrite} disabled={zip} />
      </div>
      {nameIsBad && (
        <p className="nb2pkg-refused" role="alert">
          {trans.__('The package needs a name of letters, digits and _ that does not begin with a digit.')}
        </p>
      )}
      {seedIsBad && (
        <p className="nb2pkg-refused" role="alert">
          {trans.__('A seed is a whole number from 0 to %1.', LARGEST_SEED)}
        </p>
      )}
      {error && (
        <p className="nb2pkg-refused" role="alert">
          {error}
        </p>
      )}
      <footer>
        <span role="status" aria-live="polite">
          {props.busy && plan ? trans.__('Planning…') : plan ? trans._n('%1 stage', '%1 stages', plan.stages.length) : ''}
        </span>
        <button type="button" className="jp-mod-styled jp-mod-reject" onClick={props.close}>
          {trans.__('Cancel')}
        </button>
        <button
          type="submit"
          className="jp-mod-styled jp-mod-accept"
          disabled={!props.ready || sending || nameIsBad || seedIsBad}
          name="nb2pkg-submit"
        >
          {trans.__('Export')}
        </button>
      </footer>
    </form>
  );
}

function Check(props: {
  label: string;
  name: string;
  value: boolean;
  set: (value: boolean) => void;
  disabled?: boolean;
}): JSX.Element {
  return (
    <label>
      <input
        type="checkbox"
        name={`nb2pkg-${props.name}`}
        checked={props.value}
        disabled={props.disabled}
        onChange={event => props.set(event.target.checked)}
      />
      {props.label}
    </label>
  );
}
