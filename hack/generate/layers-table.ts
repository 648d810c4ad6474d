/** The table of layers in docs/architecture.md, from the data that check-layers enforces. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { layersTable } from '../layers.ts';
import { betweenMarkers } from './between-markers.ts';

const PATH = 'docs/architecture.md';

/** docs/architecture.md with its table of layers as it is enforced. */
export async function layersInArchitecture(root: string): Promise<ReadonlyMap<string, string>> {
  const page = await readFile(join(root, PATH), 'utf8');
  return new Map([[PATH, betweenMarkers(page, 'layers', layersTable())]]);
}
