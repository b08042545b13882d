// The colours of sections: dark enough for white text in both themes, and never all that tells sections apart.

const COLOURS = [
  '#1f6fb2',
  '#a8501a',
  '#2b7a3d',
  '#a92b3b',
  '#6b4fa0',
  '#00707a',
  '#7a5230',
  '#9a3580',
  '#4f5b66',
  '#7a6200'
];

export function colourOf(section: number): string {
  return COLOURS[section % COLOURS.length];
}
