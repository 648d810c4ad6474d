/** What the state of the authority says to people, and to metrics. */

import type { AuthorityIntent, GenerationFacts, Lacking } from '../../domain/authority/facts.ts';
import type { StateTexts } from './state-object.ts';

/** How things stand. */
export interface AuthorityReport {
  readonly generations: readonly GenerationFacts[];
  /** What the next step waits for. */
  readonly message: string;
  /** Why nothing of the intent is done. */
  readonly problems: readonly string[];
  readonly intent: AuthorityIntent;
  /** What is said of an authority that somebody gives; absent when none is to be given. */
  readonly given?: string | undefined;
  /** Namespaces that are waited for no more. */
  readonly excluded: Lacking;
  /** Namespaces that have not been seen to carry the generation that will sign next. */
  readonly lacking: Lacking;
  /** Namespaces with agents. */
  readonly namespaces: number;
}

const MAX_LISTED = 100;

/** The texts of the ConfigMap, beside the states; keys with nothing to say are left out. */
export function reportTexts(report: AuthorityReport): StateTexts {
  const { message, problems, excluded } = report;
  const texts = {
    signing: report.generations.find(({ phase }) => phase === 'signing')?.id ?? '',
    message,
    problem:
      problems.length === 0
        ? ''
        : `Nothing of ConfigMap agent-trust-authority is done: ${problems.join('; ')}.`,
    given: report.given ?? '',
    notes: notesOf(report),
    reissue: report.generations.flatMap(progressOf).join('\n'),
    excluded: [...excluded]
      .slice(0, MAX_LISTED)
      .map(([namespace, what]) => `${namespace}: ${what}`)
      .join('\n'),
  };
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''));
}

/** Leaves that were replaced, and those that were to be. */
function progressOf({
  id,
  phase,
  reissueTotal,
  reissuedAtMs,
  heldLeaves,
}: GenerationFacts): readonly string[] {
  if (phase !== 'retiring' || reissueTotal === undefined || reissuedAtMs !== undefined) return [];
  return [`${id}: ${Math.max(0, reissueTotal - heldLeaves)} of ${reissueTotal}`];
}

/** Ids that are gone are nothing to be done about, but they may be misspelt. */
function notesOf({ intent, generations }: AuthorityReport): string {
  const isThere = (id: string): boolean => generations.some((each) => each.id === id);
  const gone = (key: string, ids: ReadonlySet<string>): readonly string[] =>
    [...ids].filter((id) => !isThere(id)).map((id) => `${key}: there is no generation ${id} (any more)`);
  return [...gone('taint', intent.taint), ...gone('revoke', intent.revoke)].slice(0, MAX_LISTED).join('\n');
}
