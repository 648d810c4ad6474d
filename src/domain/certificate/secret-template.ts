/**
 * Labels and annotations that people want on a Secret. Which ones were put there is remembered on the Secret itself, so
 * that those taken out of the template go, and those of others stay.
 */

import type { StoredSecretFacts } from './facts.ts';

/** Labels and annotations by name. */
export interface SecretTemplate {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Names alone, sorted. */
export interface TemplateKeys {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
}

/** The annotation that remembers them; its name says whose it is, so that no template can have it. */
export const TEMPLATE_ANNOTATION = 'agenttrust.dev/secret-template';

const NONE: TemplateKeys = { labels: [], annotations: [] };
/** Twice 32 names of at most 317 characters, and what stands between them. */
const MAX_RECORD_CHARACTERS = 24_000;
const OWN = 'agenttrust.dev/';
const RESERVED = [OWN, 'kubernetes.io/', 'k8s.io/'];
const ARGO_CD = 'argocd.argoproj.io/';
const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_VALUE = /^(?=.{0,63}$)(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/** Field and rule of everything in a template that is not allowed; what the API server would refuse is among it. */
export function templateProblems({ labels, annotations }: SecretTemplate): readonly string[] {
  return [
    ...keyProblems('labels', Object.keys(labels)),
    ...Object.entries(labels)
      .filter(([, value]) => !LABEL_VALUE.test(value))
      .map(
        ([key]) =>
          `spec.certificate.secretTemplate.labels ${key} must have a value of at most 63 letters, digits, ".", "_" and "-"`,
      ),
    ...keyProblems('annotations', Object.keys(annotations)),
  ];
}

/** The annotation's value for a template; undefined when it asks for nothing. */
export function templateRecord({ labels, annotations }: SecretTemplate): string | undefined {
  const keys: TemplateKeys = {
    labels: Object.keys(labels).toSorted(),
    annotations: Object.keys(annotations).toSorted(),
  };
  return keys.labels.length + keys.annotations.length === 0 ? undefined : JSON.stringify(keys);
}

/** What was put on a Secret by an earlier template and is not wanted any more; what is gone already is left out. */
export function formerKeys(
  wanted: SecretTemplate,
  { labels, annotations }: Pick<StoredSecretFacts, 'labels' | 'annotations'>,
): TemplateKeys {
  const recorded = readRecord(annotations[TEMPLATE_ANNOTATION]);
  const former = (
    names: readonly string[],
    kept: Readonly<Record<string, string>>,
    present: Readonly<Record<string, string>>,
  ): readonly string[] =>
    names.filter(
      (name) => Object.hasOwn(present, name) && !Object.hasOwn(kept, name) && !name.startsWith(OWN),
    );
  return {
    labels: former(recorded.labels, wanted.labels, labels),
    annotations: former(recorded.annotations, wanted.annotations, annotations),
  };
}

/** What a Secret remembers of its template and still has. */
export function recordedTemplate({
  labels,
  annotations,
}: Pick<StoredSecretFacts, 'labels' | 'annotations'>): SecretTemplate {
  const recorded = readRecord(annotations[TEMPLATE_ANNOTATION]);
  const kept = (
    names: readonly string[],
    present: Readonly<Record<string, string>>,
  ): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(present).filter(([name]) => names.includes(name)));
  return { labels: kept(recorded.labels, labels), annotations: kept(recorded.annotations, annotations) };
}

/** Whether a Secret remembers a template although there is none. */
export function isStaleRecord(
  wanted: Pick<SecretTemplate, 'annotations'>,
  { annotations }: Pick<StoredSecretFacts, 'annotations'>,
): boolean {
  return (
    Object.hasOwn(annotations, TEMPLATE_ANNOTATION) && !Object.hasOwn(wanted.annotations, TEMPLATE_ANNOTATION)
  );
}

function keyProblems(field: keyof SecretTemplate, keys: readonly string[]): readonly string[] {
  const path = `spec.certificate.secretTemplate.${field}`;
  return keys.flatMap((key) => {
    if (isReserved(key))
      return [
        `${path} must not have ${key}: agenttrust.dev, kubernetes.io, k8s.io and argocd.argoproj.io are reserved`,
      ];
    return isQualifiedName(key)
      ? []
      : [`${path} must not have ${JSON.stringify(key.slice(0, 80))}, which is no name`];
  });
}

/** The same rule as in the schema. */
function isReserved(key: string): boolean {
  return RESERVED.some((text) => key.includes(text)) || key.startsWith(ARGO_CD);
}

/** An optional DNS subdomain and a slash, then at most 63 characters: the API server's rule for both. */
function isQualifiedName(key: string): boolean {
  const parts = key.split('/');
  const [name = '', prefix] = parts.toReversed();
  return parts.length <= 2 && NAME.test(name) && (prefix === undefined || PREFIX.test(prefix));
}

/** Whoever may write the Secret may have written it: what has not the form says nothing. */
function readRecord(text: string | undefined): TemplateKeys {
  if (text === undefined || text.length > MAX_RECORD_CHARACTERS) return NONE;
  try {
    const { labels, annotations } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return { labels: namesOf(labels), annotations: namesOf(annotations) };
  } catch {
    return NONE; // no JSON, or null
  }
}

function namesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}
