/** One run of the demo, from the first check to the last line. */

import { cpSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeLeftovers } from '../cluster/state.ts';
import { createDirectory, removeDirectory } from '../control-plane/directory.ts';
import { endWithThisProcess } from '../control-plane/end-with-process.ts';
import { streamProgress } from '../control-plane/progress.ts';
import { ensureTools, type Tools } from '../control-plane/tools.ts';
import { contextPlace } from './context-place.ts';
import { refuseIfKept } from './down.ts';
import { localPlace } from './local-place.ts';
import { KEPT_DIRECTORY, type OpenPlace, type Place } from './place.ts';
import { requireForDemo } from './requirements.ts';
import { Screen } from './screen.ts';
import { type KeptLogs, Stage, StepFailed } from './stage.ts';
import { tellStory } from './story.ts';
import { elapsed } from './text.ts';

/** How the demo is to run. */
export interface DemoOptions {
  /** Whether everything goes on in the background when the demo is over. */
  readonly keep: boolean;
  /** Context of the user's kubeconfig; undefined for a control plane of its own. */
  readonly context: string | undefined;
  /** New or empty folder for all files; undefined for one that it makes. */
  readonly directory: string | undefined;
}

/**
 * Runs it.
 *
 * @returns the exit status: 0, or 1 when a step failed.
 * @throws CommandError for what stands in the way before the first step, or of the removal in the end.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  requireForDemo();
  const tools = await ensureTools({ progress: streamProgress(process.stderr) });
  const startedAtMs = performance.now();
  const directory = makeDirectory(options);
  const screen = new Screen(process.stdout, process.env);
  const stage = new Stage({ screen, keepLogs: () => keepLogs(directory) });
  const place = await enter(options, { directory, stage, tools });
  screen.line('agent-trust demo', place.where);
  if (!(await perform(options, { directory, stage, place }))) return 1;
  screen.line(` done in ${elapsed(performance.now() - startedAtMs)}. ${nextTitle(options)}`);
  for (const command of options.keep ? place.commands : NEXT) screen.line(`   ${command}`);
  return 0;
}

interface Setting {
  readonly directory: string;
  readonly stage: Stage;
}

/** Finds the place. From here on Ctrl-C removes whatever there is to remove, until `place.leave`. */
async function enter(
  { context }: DemoOptions,
  { directory, stage, tools }: Setting & { readonly tools: Tools },
): Promise<Place & { readonly leave: () => void }> {
  let place: Place | undefined;
  const leave = endWithThisProcess({
    async stop() {
      stage.interrupt();
      if (place === undefined) removeDirectory(directory);
      await place?.end();
    },
    stopNow: () => place?.endNow(),
  });
  try {
    place = await (context === undefined
      ? localPlace(directory, tools)
      : contextPlace({ context, directory, tools }));
    return { ...place, leave };
  } catch (error) {
    leave();
    removeDirectory(directory);
    throw error;
  }
}

/** All steps. Returns whether every one of them went as it should. */
async function perform(
  { keep }: DemoOptions,
  { directory, stage, place }: Setting & { readonly place: Awaited<ReturnType<typeof enter>> },
): Promise<boolean> {
  let open: OpenPlace | undefined;
  try {
    open = await place.open(stage);
    await tellStory({ ...open, stage, place, directory });
    if (keep) await open.host.stay();
    else await place.end(stage);
    return true;
  } catch (error) {
    await place.end();
    if (error instanceof StepFailed) return false;
    throw error;
  } finally {
    place.leave();
    await open?.access.close();
  }
}

const NEXT = [
  'npm run demo -- --keep            keep it running and get a KUBECONFIG',
  'npm run demo -- --context NAME    the same on a cluster of yours; all of it is removed in the end',
  'npm test                          everything that is promised, on real API servers',
];

function nextTitle({ keep }: DemoOptions): string {
  return keep ? 'It goes on in the background. Try next:' : 'Nothing is left behind. Try next:';
}

function makeDirectory({ keep, directory }: DemoOptions): string {
  const named = directory ?? (keep ? KEPT_DIRECTORY : undefined);
  if (named === undefined) return mkdtempSync(join(tmpdir(), 'agent-trust-demo-'));
  refuseIfKept(named);
  removeLeftovers(named);
  return createDirectory(named);
}

/** Copies the logs to a folder that stays. */
function keepLogs(directory: string): KeptLogs | undefined {
  const from = join(directory, 'logs');
  if (!existsSync(from) || readdirSync(from).length === 0) return undefined;
  const to = mkdtempSync(join(tmpdir(), 'agent-trust-demo-logs-'));
  cpSync(from, to, { recursive: true });
  return { from, to };
}
