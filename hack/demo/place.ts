/** Where the demo runs: a control plane of its own on this machine, or the user's cluster. */

import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Access } from './access.ts';
import type { Host } from './host-client.ts';
import type { Stage } from './stage.ts';

/** What the steps need to know of the place. */
export interface Place {
  /** Right end of the first line: what cluster it is. */
  readonly where: string;
  /** Further values for the chart. */
  readonly chartValues: readonly string[];
  /**
   * By how much the operator divides the periods of the authority: 1 where pods may run, whose files follow as slowly as
   * everywhere.
   */
  readonly acceleration: number;
  /** Whether the API server can reach a webhook on this machine. */
  readonly hasWebhook: boolean;
  /** Starts the background process; resolves when the cluster can be used. */
  open(stage: Stage): Promise<OpenPlace>;
  /** Takes note of something that was made in the cluster and has to go in the end. */
  made(what: Made): void;
  /** Ends the background process and removes all that was made. May be called more than once. */
  end(stage?: Stage): Promise<void>;
  /** The last moment of this process: ends what can be ended without waiting. */
  endNow(): void;
  /** Commands that work while it keeps running. */
  readonly commands: readonly string[];
}

/** The place while it is in use. */
export interface OpenPlace {
  readonly access: Access;
  readonly host: Host;
}

/** What the demo makes in a cluster. */
export type Made = { readonly namespace: string } | 'release';

/** Where a demo that keeps running has its files unless told otherwise. */
export const KEPT_DIRECTORY: string = join(tmpdir(), `agent-trust-demo-${userInfo().uid}`);

/** The command that ends a demo that was kept. */
export function downCommand(directory: string): string {
  return `npm run demo -- --down${directory === KEPT_DIRECTORY ? '' : ` --dir ${shellWord(directory)}`}`;
}

/** A word as a shell reads it. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
