// Where sections begin, as the user wants it, and the tags that say so. No decision on sections is made here: the
// server makes the plan of what these tags say, as the command line does.

import { ICell, INotebookContent } from '@jupyterlab/nbformat';

import { IPlan } from './api';

export const TAG = 'nb2pkg:';

/** A section begins at a cell (its index), or at a line inside it. */
export interface IBoundary {
  name: string;
  cell: number;
  line: number;
}

export function boundariesOf(plan: IPlan): IBoundary[] {
  return plan.sections.map(({ name, cells, line }) => ({ name, cell: cells[0], line }));
}

export function renamed(boundaries: IBoundary[], which: number, name: string): IBoundary[] {
  return boundaries.map((each, index) => (index === which ? { ...each, name } : each));
}

/** Without a boundary: its section becomes part of the one before. */
export function merged(boundaries: IBoundary[], which: number): IBoundary[] {
  return boundaries.filter((_, index) => index !== which);
}

/** The boundary at the code cell before or after, or null where that is another section's. */
export function moved(
  boundaries: IBoundary[],
  which: number,
  by: -1 | 1,
  codeCells: number[]
): IBoundary[] | null {
  const { cell, line } = boundaries[which];
  const place = codeCells.indexOf(cell);
  const target = by < 0 && line > 1 ? cell : codeCells[place + by];
  const before = boundaries[which - 1];
  const after = boundaries[which + 1];
  const isFree =
    target !== undefined &&
    (!before || target > before.cell || (target === before.cell && by > 0)) &&
    (!after || target < after.cell || (target === after.cell && after.line > 1));
  if (which === 0 || !isFree) {
    return null;
  }
  return boundaries.map((each, index) => (index === which ? { ...each, cell: target, line: 1 } : each));
}

/** With one more section, beginning at a cell. */
export function split(boundaries: IBoundary[], cell: number): IBoundary[] {
  const place = boundaries.filter(each => each.cell < cell).length;
  const base = (boundaries[place - 1]?.name ?? 'part').replace(/_\d+$/, '');
  const names = new Set(boundaries.map(each => each.name));
  let number = 2;
  while (names.has(`${base}_${number}`)) {
    number += 1;
  }
  const made = { name: `${base}_${number}`, cell, line: 1 };
  return [...boundaries.slice(0, place), made, ...boundaries.slice(place)];
}

/** The boundaries after cells were added, moved or removed. */
export function followed(boundaries: IBoundary[], ids: string[], now: string[]): IBoundary[] {
  return boundaries
    .map(each => ({ ...each, cell: now.indexOf(ids[each.cell]) }))
    .filter(each => each.cell >= 0)
    .sort((one, other) => one.cell - other.cell || one.line - other.line);
}

interface IMetadata {
  tags?: unknown;
  nb2pkg?: { section?: unknown };
}

/** What a cell's metadata becomes: its tags, and the section that the property inspector shows. */
export function metadataFor(
  old: IMetadata,
  begins: IBoundary[]
): { tags: string[]; nb2pkg: { [key: string]: unknown } } {
  const tags = tagsOf(old).filter(tag => !tag.startsWith(TAG));
  const { section: _, ...others } = old.nb2pkg ?? {};
  const nb2pkg: { [key: string]: unknown } = { ...others };
  for (const { name, line } of begins) {
    tags.push(line > 1 ? `${TAG}${name}@${line}` : TAG + name);
    if (line === 1) {
      nb2pkg.section = name;
    }
  }
  return { tags, nb2pkg };
}

export function tagsOf(metadata: IMetadata): string[] {
  return Array.isArray(metadata.tags) ? metadata.tags.filter(tag => typeof tag === 'string') : [];
}

/** The notebook with the boundaries as tags, and no others. */
export function tagged(content: INotebookContent, boundaries: IBoundary[]): INotebookContent {
  const cells = content.cells.map((cell, index): ICell => {
    const old = cell.metadata as IMetadata;
    const made = metadataFor(old, boundaries.filter(each => each.cell === index));
    const { tags: _tags, nb2pkg: _own, ...others } = cell.metadata as { [key: string]: unknown };
    const metadata = {
      ...others,
      ...(made.tags.length || Array.isArray(old.tags) ? { tags: made.tags } : {}),
      ...(Object.keys(made.nb2pkg).length ? { nb2pkg: made.nb2pkg } : {})
    };
    return { ...cell, metadata } as ICell;
  });
  return { ...content, cells };
}
