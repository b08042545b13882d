// The notebook that is exported: the one on the screen, saved or not, else the file.

import { ICodeCellModel } from '@jupyterlab/cells';
import { ICell, INotebookContent } from '@jupyterlab/nbformat';
import { NotebookPanel } from '@jupyterlab/notebook';
import { Contents } from '@jupyterlab/services';

import { IBoundary, metadataFor, tagged } from './outline';

/** What a notebook is at one moment. */
export interface ISnapshot {
  content: INotebookContent;
  /** Per cell; a file's cells have none that would last. */
  ids: string[];
  /** Whether the server has the same. */
  saved: boolean;
}

export class Source {
  /** `path` is as JupyterLab knows it, with the drive. */
  constructor(
    readonly path: string,
    readonly panel: NotebookPanel | null,
    private contents: Contents.IManager
  ) {}

  /** The path from the server's root. Shared drives have the same files below them. */
  get serverPath(): string {
    return this.contents.localPath(this.path);
  }

  async snapshot(): Promise<ISnapshot> {
    const model = this.panel?.content.model;
    if (this.panel && model) {
      const content = model.toJSON() as INotebookContent;
      const ids = Array.from(model.cells).map(cell => cell.id);
      return { content, ids, saved: !model.dirty };
    }
    const file = await this.contents.get(this.path, { type: 'notebook', content: true });
    const content = file.content as INotebookContent;
    return { content, ids: content.cells.map((_, index) => String(index)), saved: true };
  }

  /** Write the boundaries to the notebook as tags: on the screen, or into the file that nobody has open. */
  async keep(boundaries: IBoundary[]): Promise<void> {
    const model = this.panel?.content.model;
    if (!model) {
      const { content } = await this.snapshot();
      await this.contents.save(this.path, { type: 'notebook', format: 'json', content: tagged(content, boundaries) });
      return;
    }
    model.sharedModel.transact(() => {
      Array.from(model.cells).forEach((cell, index) => {
        const old = cell.metadata as { tags?: unknown; nb2pkg?: { section?: unknown } };
        const made = metadataFor(old, boundaries.filter(each => each.cell === index));
        set(cell as ICodeCellModel, 'tags', made.tags, made.tags.length > 0 || Array.isArray(old.tags));
        set(cell as ICodeCellModel, 'nb2pkg', made.nb2pkg, Object.keys(made.nb2pkg).length > 0);
      });
    });
  }

  /** Bring a cell into view, and say which it is. */
  async show(cell: number): Promise<void> {
    const notebook = this.panel?.content;
    if (!this.panel || !notebook || cell >= notebook.widgets.length) {
      return;
    }
    notebook.activeCellIndex = cell;
    await notebook.scrollToItem(cell, 'center').catch(() => undefined);
    const node = notebook.widgets[cell].node;
    node.classList.add('nb2pkg-shown');
    window.setTimeout(() => node.classList.remove('nb2pkg-shown'), 1500);
  }
}

function set(cell: ICodeCellModel, key: string, value: unknown, there: boolean): void {
  if (!there) {
    if (cell.getMetadata(key) !== undefined) {
      cell.deleteMetadata(key);
    }
  } else if (JSON.stringify(cell.getMetadata(key)) !== JSON.stringify(value)) {
    cell.setMetadata(key, value);
  }
}

/** The first line that says something. */
export function firstLine(cell: ICell): string {
  const text = Array.isArray(cell.source) ? cell.source.join('') : String(cell.source);
  const lines = text.split('\n').map(line => line.trim());
  return lines.find(line => line && !line.startsWith('#')) ?? lines.find(Boolean) ?? '';
}
