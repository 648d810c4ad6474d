/** Reading what an administrator wrote: nothing of it is followed unless all of it can be read. */

import { type AuthorityIntent, NO_INTENT } from './facts.ts';

/** What was read; with problems nothing is asked for. A problem is a sentence without full stop that names its key. */
export interface ReadIntent {
  readonly intent: AuthorityIntent;
  readonly problems: readonly string[];
}

const KEYS = ['rotateBefore', 'taint', 'revoke'] as const;
const ID_FORM = /^[0-9a-f]{16}$/;
const INSTANT_FORM = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;
const MAX_LENGTH = 1024;

/**
 * Reads the ConfigMap's data.
 *
 * @param data `rotateBefore`: an RFC 3339 instant. `taint`, `revoke`: ids of generations, separated by commas, blanks or line
 *   ends. Absent and empty values ask for nothing; ids of generations that are gone are nothing to be done about.
 */
export function readIntent(data: Readonly<Record<string, string>>): ReadIntent {
  const { rotateBefore = '', taint = '', revoke = '' } = data;
  const unknown = Object.keys(data).filter((key) => !KEYS.some((known) => known === key));
  const problems = [
    ...unknown.map((key) => `key ${clipped(key)} is none of ${KEYS.join(', ')}`),
    ...instantProblems(rotateBefore.trim()),
    ...idProblems('taint', taint),
    ...idProblems('revoke', revoke),
  ];
  if (problems.length > 0) return { intent: NO_INTENT, problems };
  const instant = rotateBefore.trim();
  return {
    intent: {
      rotateBeforeMs: instant === '' ? undefined : Date.parse(instant),
      taint: new Set(idsOf(taint)),
      revoke: new Set(idsOf(revoke)),
    },
    problems,
  };
}

function instantProblems(text: string): readonly string[] {
  if (text === '' || (INSTANT_FORM.test(text) && !Number.isNaN(Date.parse(text)))) return [];
  return [`rotateBefore "${clipped(text)}" is no RFC 3339 instant such as 2026-03-01T12:00:00Z`];
}

function idProblems(key: string, text: string): readonly string[] {
  if (text.length > MAX_LENGTH) return [`${key} is longer than ${MAX_LENGTH} characters`];
  return idsOf(text)
    .filter((id) => !ID_FORM.test(id))
    .map((id) => `${key} "${clipped(id)}" is no id of a generation: 16 hexadecimal digits in lower case`);
}

function idsOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((id) => id !== '');
}

function clipped(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}...`;
}
