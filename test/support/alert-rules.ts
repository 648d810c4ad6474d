/** What Prometheus itself makes of alert rules. */

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { ensureAlertRules } from '../../hack/alert-rules/alert-rules.ts';

/** Series in the notation of promtool's unit tests, a value each minute, until a moment. */
export interface ScrapedCase {
  readonly series: Readonly<Record<string, string>>;
  readonly atSeconds: number;
}

/** What it says. */
export interface RulesAnswer {
  /** Why it does not take them; nothing else is answered then. */
  readonly problems: readonly string[];
  /** In the order of the file. By metric: the labels that are selected by. */
  readonly alerts: readonly {
    readonly name: string;
    readonly metrics: Readonly<Record<string, readonly string[]>>;
  }[];
  /** For each case the names of the alerts that hold. */
  readonly holds: readonly (readonly string[])[];
}

/** Asks it. @param rules A file of rules as Prometheus reads it. */
export async function askRules(rules: string, cases: readonly ScrapedCase[] = []): Promise<RulesAnswer> {
  const child = spawn(await ensureAlertRules(), { stdio: 'pipe' });
  const ended = Promise.withResolvers<number | null>();
  child.once('error', ended.reject).once('close', ended.resolve);
  child.stdin.on('error', () => undefined).end(JSON.stringify({ rules, cases }));
  const [answer, complaint, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended.promise,
  ]);
  if (status !== 0) throw new Error(complaint);
  return JSON.parse(answer) as RulesAnswer;
}
