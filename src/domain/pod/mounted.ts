/** Whether the pods of an agent have what admission gives them: what FilesMounted says. */

import { CRL_FILE } from '../bundle/files.ts';
import { LABEL_IDENTITY } from '../mesh/names.ts';
import { restartCommands } from '../mesh/ready-pods.ts';

/** A pod that runs as the agent and has not ended. */
export interface MountFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Names of the Secrets in its volumes. */
  readonly secrets: readonly string[];
  /** It has a volume for the bundle without the lists of revoked certificates, and so no bundle counts there. */
  readonly lacksLists: boolean;
  /** What made it, as kubectl names it: `deployment/agent-deployer`. */
  readonly workload: string | undefined;
}

/** What pods of an agent must have. */
export interface Wanted {
  readonly serviceAccountName: string;
  /** Secrets that a volume of theirs has: with the certificate, with the signing keys. */
  readonly wantedSecrets: readonly string[];
}

/** What FilesMounted says. */
export interface MountReport {
  readonly reason: 'Mounted' | 'NotMounted';
  readonly message: string;
}

const SHOWN_PODS = 3;

/** Those of the pods that lack label or files. A volume of any kind with a Secret counts, whoever wrote it. */
export function podsWithoutFiles<P extends MountFacts>(wanted: Wanted, pods: readonly P[]): readonly P[] {
  return pods.filter((pod) => lackOf(wanted, pod) !== undefined);
}

/** The report; undefined when no pod runs. */
export function judgeMounts(wanted: Wanted, pods: readonly MountFacts[]): MountReport | undefined {
  if (pods.length === 0) return undefined;
  const without = podsWithoutFiles(wanted, pods).toSorted((left, right) => (left.name < right.name ? -1 : 1));
  if (without.length === 0) {
    return { reason: 'Mounted', message: 'Every pod that runs as this agent has its label and its files.' };
  }
  const shown = without
    .slice(0, SHOWN_PODS)
    .map((pod) => `${pod.name} (${lackOf(wanted, pod)})`)
    .join(', ');
  const more = without.length > SHOWN_PODS ? ` and ${without.length - SHOWN_PODS} more` : '';
  const message = `${without.length} of ${pods.length} pods came past the webhook, or were there before this identity or this version: ${shown}${more}. Restart: ${restartCommands(without)}.`;
  return { reason: 'NotMounted', message };
}

function lackOf(
  { serviceAccountName, wantedSecrets }: Wanted,
  { labels, secrets, lacksLists }: MountFacts,
): string | undefined {
  const missing = wantedSecrets.filter((secret) => !secrets.includes(secret));
  const noun = missing.length === 1 ? 'Secret' : 'Secrets';
  const lacks = [
    labels[LABEL_IDENTITY] === serviceAccountName ? undefined : `label ${LABEL_IDENTITY}`,
    missing.length === 0 ? undefined : `a volume with ${noun} ${missing.join(' and ')}`,
    lacksLists ? `${CRL_FILE} in the volume with the bundle` : undefined,
  ].filter((lack) => lack !== undefined);
  return lacks.length === 0 ? undefined : `without ${lacks.join(' and ')}`;
}
