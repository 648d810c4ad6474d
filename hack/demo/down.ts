/** `npm run demo -- --down`: ends what a demo with `--keep` left. */

import { clusterIn, endCluster } from '../cluster/state.ts';
import { CommandError } from '../control-plane/command-error.ts';
import { streamProgress } from '../control-plane/progress.ts';
import { ensureTools } from '../control-plane/tools.ts';
import { footprintIn, removeFootprint } from './footprint.ts';
import { downCommand } from './place.ts';

/** Ends the demo in a folder and removes what it made. @returns the exit status. */
export async function endDemo(directory: string): Promise<number> {
  const footprint = footprintIn(directory);
  if (footprint === undefined) {
    const ended = await endCluster(directory);
    process.stderr.write(ended ? `ended; ${directory} is removed\n` : `nothing runs in ${directory}\n`);
    return 0;
  }
  const tools = await ensureTools({ progress: streamProgress(process.stderr) });
  const left = await removeFootprint({ tools, directory }, footprint);
  process.stderr.write(`ended; everything is removed from the cluster of context ${footprint.context}\n`);
  if (left !== undefined) process.stderr.write(`${left}\n`);
  return 0;
}

/** @throws CommandError `ALREADY_RUNNING` when a demo is kept in the folder, or something is left of one. */
export function refuseIfKept(directory: string): void {
  if (clusterIn(directory) === undefined && footprintIn(directory) === undefined) return;
  throw new CommandError(
    'ALREADY_RUNNING',
    `a demo is kept in ${directory}: end it with ${downCommand(directory)}`,
  );
}
