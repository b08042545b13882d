// The property inspector's field and the plain tag say the same: whichever the user changes, the other follows.

import { ICellModel } from '@jupyterlab/cells';
import { NotebookPanel } from '@jupyterlab/notebook';

import { TAG, tagsOf } from './outline';

const seen = new WeakSet<ICellModel>();

export function keepInStep(panel: NotebookPanel): void {
  const follow = () => {
    for (const cell of Array.from(panel.content.model?.cells ?? [])) {
      if (!seen.has(cell)) {
        seen.add(cell);
        cell.metadataChanged.connect((_, change) => {
          if (change.key === 'nb2pkg') {
            toTag(cell);
          } else if (change.key === 'tags') {
            fromTag(cell);
          }
        });
      }
    }
  };
  follow();
  panel.content.model?.cells.changed.connect(follow);
}

function field(cell: ICellModel): { section?: string } {
  const value: unknown = cell.getMetadata('nb2pkg');
  return value && typeof value === 'object' ? (value as { section?: string }) : {};
}

/** Tags of sections that begin at the cell itself, not inside of it. */
function isOwn(tag: string): boolean {
  return tag.startsWith(TAG) && !/@\d+$/.test(tag);
}

function toTag(cell: ICellModel): void {
  const wanted = String(field(cell).section ?? '').trim();
  const tags = tagsOf({ tags: cell.getMetadata('tags') });
  const now = tags.find(isOwn);
  if (now !== (wanted ? TAG + wanted : undefined)) {
    const others = tags.filter(tag => !isOwn(tag));
    cell.setMetadata('tags', wanted ? [...others, TAG + wanted] : others);
  }
}

function fromTag(cell: ICellModel): void {
  const wanted = tagsOf({ tags: cell.getMetadata('tags') }).find(isOwn)?.slice(TAG.length);
  const { section, ...others } = field(cell);
  if (section === wanted || (!section && !wanted)) {
    return;
  }
  const value = wanted ? { ...others, section: wanted } : others;
  if (Object.keys(value).length) {
    cell.setMetadata('nb2pkg', value);
  } else {
    cell.deleteMetadata('nb2pkg');
  }
}
