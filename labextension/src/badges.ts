// The section of each cell, as a small badge on it.

import { NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

import { IPlan } from './api';
import { colourOf } from './colours';

const BADGE = 'nb2pkg-badge';

/** Put a badge on each code cell that belongs to a section, or take all away. */
export function paint(panel: NotebookPanel, plan: IPlan | null, trans: TranslationBundle): void {
  const starts = plan?.sections.map(({ name, cells, line }) => ({ name, cell: cells[0], line })) ?? [];
  panel.content.widgets.forEach((cell, index) => {
    // The section that the cell begins in, and those that begin inside of it.
    let place = starts.filter(each => each.cell < index || (each.cell === index && each.line === 1)).length - 1;
    place = Math.max(place, 0);
    const inside = starts.filter(each => each.cell === index && each.line > 1);
    const old = cell.node.querySelector<HTMLElement>(`:scope > .${BADGE}`);
    if (starts.length === 0 || cell.model.type !== 'code') {
      old?.remove();
      cell.node.style.removeProperty('--nb2pkg-colour');
      cell.node.classList.remove('nb2pkg-in-section');
      return;
    }
    const badge = old ?? document.createElement('div');
    const names = [starts[place].name, ...inside.map(each => each.name)];
    badge.className = BADGE;
    badge.textContent = names.join(' | ');
    badge.title = trans.__('Package section: %1', names.join(', '));
    badge.dataset.begins = String(starts[place].cell === index || inside.length > 0);
    cell.node.style.setProperty('--nb2pkg-colour', colourOf(place));
    cell.node.classList.add('nb2pkg-in-section');
    if (!old) {
      cell.node.prepend(badge);
    }
  });
}
