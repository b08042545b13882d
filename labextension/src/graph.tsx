// The stages from top to bottom, and what crosses between them. The list beside the drawing says the same in words.

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { IPlan } from './api';
import { colourOf } from './colours';

const WIDTH = 170;
const HEIGHT = 28;
const GAP = 22;
const LANE = 13;

interface IEdge {
  from: number;
  to: number;
  names: string[];
  lane: number;
}

function edgesOf(plan: IPlan): IEdge[] {
  const place = new Map(plan.stages.map((stage, index) => [stage.name, index]));
  const names = new Map<string, string[]>();
  for (const crossing of plan.crossings) {
    const key = `${place.get(crossing.from)} ${place.get(crossing.to)}`;
    names.set(key, [...(names.get(key) ?? []), ...crossing.names]);
  }
  const edges = Array.from(names, ([key, crossing]) => {
    const [from, to] = key.split(' ').map(Number);
    return { from, to, names: Array.from(new Set(crossing)), lane: 0 };
  }).sort((one, other) => one.to - one.from - (other.to - other.from) || one.from - other.from);
  // Each edge in the first lane where no other is in its way.
  const lanes: IEdge[][] = [];
  for (const edge of edges.filter(each => each.to - each.from > 1)) {
    let lane = lanes.findIndex(others => others.every(each => each.to <= edge.from || each.from >= edge.to));
    lane = lane < 0 ? lanes.length : lane;
    lanes[lane] = [...(lanes[lane] ?? []), edge];
    edge.lane = lane + 1;
  }
  return edges.sort((one, other) => one.from - other.from || one.to - other.to);
}

export function Graph({ plan, trans }: { plan: IPlan; trans: TranslationBundle }): JSX.Element {
  const edges = edgesOf(plan);
  const first = new Map<string, number>();
  plan.sections.forEach((section, index) => {
    if (!first.has(section.stage) || section.name === section.stage) {
      first.set(section.stage, index);
    }
  });
  const lanes = Math.max(0, ...edges.map(edge => edge.lane));
  const height = plan.stages.length * (HEIGHT + GAP) - GAP + 4;
  const width = WIDTH + lanes * LANE + 14;
  const top = (stage: number) => stage * (HEIGHT + GAP) + 2;
  return (
    <div className="nb2pkg-graph">
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={trans._n('%1 stage', '%1 stages, one after the other', plan.stages.length)}
      >
        {edges.map(edge => {
          const start = top(edge.from) + HEIGHT;
          const end = top(edge.to);
          const right = WIDTH + edge.lane * LANE;
          const path = edge.lane
            ? `M${WIDTH} ${start - 8} H${right - 6} Q${right} ${start - 8} ${right} ${start - 2} V${end + 2} Q${right} ${end + 8} ${right - 6} ${end + 8} H${WIDTH + 5}`
            : `M${WIDTH / 2} ${start} V${end - 5}`;
          const head = edge.lane
            ? `M${WIDTH} ${end + 8} l6 -4 v8 z`
            : `M${WIDTH / 2} ${end} l-4 -6 h8 z`;
          return (
            <g key={`${edge.from} ${edge.to}`} className="nb2pkg-edge">
              <title>{edge.names.join(', ')}</title>
              <path d={path} />
              <path d={head} className="nb2pkg-head" />
            </g>
          );
        })}
        {plan.stages.map((stage, index) => (
          <g key={stage.name}>
            <title>{stage.title}</title>
            <rect
              x={1}
              y={top(index)}
              width={WIDTH - 2}
              height={HEIGHT}
              rx={5}
              fill={colourOf(first.get(stage.name) ?? index)}
            />
            <text x={WIDTH / 2} y={top(index) + HEIGHT / 2} dominantBaseline="central" textAnchor="middle">
              {stage.name.length > 23 ? stage.name.slice(0, 22) + '…' : stage.name}
            </text>
          </g>
        ))}
      </svg>
      <ul className="nb2pkg-crossings" aria-label={trans.__('What crosses between the stages')}>
        {edges.length === 0 && <li>{trans.__('Nothing crosses between stages.')}</li>}
        {edges.map(edge => (
          <li key={`${edge.from} ${edge.to}`}>
            <span>
              {plan.stages[edge.from].name} → {plan.stages[edge.to].name}
            </span>
            <code>{edge.names.join(', ')}</code>
          </li>
        ))}
      </ul>
    </div>
  );
}
