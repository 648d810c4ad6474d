/** AuthorizationPolicies as anybody might write them, at random. */

import type { Account } from '../../../src/domain/mesh/model.ts';
import type { Dice } from '../random-world.ts';
import { AUTHORIZER, TRUST_DOMAIN } from './mesh-scene.ts';
import { podLabels } from './mesh-world.ts';
import { type PolicyObject, ROOT_NAMESPACE } from './policy-object.ts';

type Fields = Readonly<Record<string, readonly string[]>>;

const PATTERNS: Fields = {
  ports: ['8443', '9090'],
  methods: ['GET', 'POST', 'P*', '*T', '*', 'get'],
  paths: [
    '/v1/delegate',
    '/v1/*',
    '*s',
    '*',
    '/v1/{*}',
    '/v1/{*}/q3',
    '/{**}',
    '/v1/reports/{**}',
    '/{*}',
    '/V1/delegate',
  ],
};

/** One to four policies, most of them for a pod. Some break rules of Istio's webhook. */
export function foreignPolicies(
  dice: Dice,
  pod: Account,
  callers: readonly Account[],
): readonly PolicyObject[] {
  return Array.from({ length: 1 + dice.below(4) }, (_, index): PolicyObject => {
    const action = dice.one(['ALLOW', 'ALLOW', 'DENY', 'CUSTOM'] as const);
    const rules = Array.from({ length: dice.below(4) }, () => randomRule(dice, callers, action === 'CUSTOM'));
    const namespace = dice.one([pod.namespace, pod.namespace, pod.namespace, ROOT_NAMESPACE, 'elsewhere']);
    const matchLabels = dice.one([podLabels(pod), podLabels(pod), {}, { app: 'other' }]);
    return {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: {
        name: `policy-${index}`,
        namespace,
        ...(dice.chance(0.1) ? { annotations: { 'istio.io/dry-run': 'true' } } : {}),
      },
      spec: {
        ...(dice.chance(0.8) ? { selector: { matchLabels } } : {}),
        action,
        ...(action === 'CUSTOM' ? { provider: { name: AUTHORIZER } } : {}),
        ...(rules.length === 0 ? {} : { rules }),
      },
    };
  });
}

function randomRule(dice: Dice, callers: readonly Account[], isCustom: boolean): object {
  const who = sourcePatterns(callers);
  return {
    ...(!isCustom && dice.chance(0.6)
      ? { from: some(dice, () => ({ source: randomFields(dice, who) })) }
      : {}),
    ...(dice.chance(0.6) ? { to: some(dice, () => ({ operation: randomFields(dice, PATTERNS) })) } : {}),
    ...(!isCustom && dice.chance(0.3) ? { when: some(dice, () => randomCondition(dice, who)) } : {}),
  };
}

function sourcePatterns(callers: readonly Account[]): Fields {
  const path = ({ namespace, serviceAccountName }: Account): string =>
    `ns/${namespace}/sa/${serviceAccountName}`;
  return {
    principals: [
      '*',
      `${TRUST_DOMAIN}/*`,
      '*/sa/prometheus',
      `spiffe://${TRUST_DOMAIN}/ns/north/sa/agent-0-sa`,
      ...callers.flatMap((each) => [`${TRUST_DOMAIN}/${path(each)}`, `cluster.local/${path(each)}`]),
    ],
    namespaces: ['north', 'south', 'n*', '*'],
    serviceAccounts: callers.flatMap(({ namespace, serviceAccountName }) => [
      serviceAccountName,
      `${namespace}/${serviceAccountName}`,
    ]),
  };
}

function randomCondition(dice: Dice, who: Fields): object {
  const [key, values] = dice.one([
    ['source.principal', who['principals'] ?? []],
    ['source.namespace', who['namespaces'] ?? []],
    ['source.serviceAccount', who['serviceAccounts'] ?? []],
    ['destination.port', PATTERNS['ports'] ?? []],
  ] as const);
  return { key, [dice.one(['values', 'notValues'])]: some(dice, () => dice.one(values)) };
}

/** One or two fields, each as it is or negated. */
function randomFields(dice: Dice, patterns: Fields): object {
  const names = some(dice, () => dice.one(Object.keys(patterns)));
  return Object.fromEntries(
    names.map((name) => {
      const negated = `not${name[0]?.toUpperCase()}${name.slice(1)}`;
      return [dice.chance(0.3) ? negated : name, some(dice, () => dice.one(patterns[name] ?? []))];
    }),
  );
}

function some<T>(dice: Dice, make: () => T): readonly T[] {
  return Array.from({ length: 1 + dice.below(2) }, make);
}
