/** Rows of the cluster admin about boundaries, quarantines and revocations. */

import { create, mergePatch, type Request, remove } from '../../../support/admission/request.ts';
import { allowed, type Expected, type Row, schema, unanswered } from './row.ts';
import { AGENTS, ELSEWHERE } from './users.ts';
import { at, GET, quarantine, READ } from './world.ts';

const user = 'cluster admin';

function others(): readonly Row[] {
  const of = (does: string, request: Request, answer: Expected, more: Partial<Row> = {}): Row => ({
    user,
    does,
    request,
    answer,
    ...more,
  });
  const down = { whileDown: unanswered('boundaries') };
  const boundary = (name: string, spec: object) => ({
    kind: 'CapabilityBoundary',
    metadata: { name },
    spec: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': ELSEWHERE } }, ...spec },
  });
  return [
    of(
      'creates a CapabilityBoundary',
      create(boundary('adm-good', { capabilities: [GET] })),
      allowed(),
      down,
    ),
    of(
      'creates a CapabilityBoundary that takes capabilities away',
      create({
        kind: 'CapabilityBoundary',
        metadata: { name: 'adm-cuts' },
        spec: {
          namespaceSelector: {},
          capabilities: [READ, { name: 'kubectl_apply' }, { name: 'query_database' }],
        },
      }),
      allowed('1 edge loses kubectl_get in part or altogether, and 1 of them would grant nothing any more'),
      { dryRun: true, ...down },
    ),
    of(
      'creates a CapabilityBoundary with one capability twice',
      create(boundary('adm-twice', { capabilities: [GET, GET] })),
      schema(
        'spec.capabilities: Invalid value: capability names must be unique; put all resources of one capability into one entry',
      ),
    ),
    of(
      'raises a CapabilityBoundary',
      mergePatch(at('CapabilityBoundary', 'house'), { spec: { capabilities: null } }),
      allowed(),
      { dryRun: true, ...down },
    ),
    of('deletes a CapabilityBoundary', remove(at('CapabilityBoundary', 'adm-delete')), allowed(), {
      given: [boundary('adm-delete', {})],
    }),
    of('creates a Quarantine', create(quarantine('adm-quarantine', 'adm-nobody')), allowed()),
    of('deletes a Quarantine', remove(at('Quarantine', 'adm-lift', AGENTS)), allowed(), {
      given: [quarantine('adm-lift', 'adm-nobody')],
    }),
    of(
      'gives a Quarantine another agent',
      mergePatch(at('Quarantine', 'held', AGENTS), { spec: { agent: 'adm-nobody' } }),
      schema(
        'spec.agent: Invalid value: a Quarantine cannot change its agent; create another one, and delete this one if its agent may live again',
      ),
    ),
    of(
      'creates a TokenRevocation',
      create({
        kind: 'TokenRevocation',
        metadata: { name: 'adm-leak', namespace: AGENTS },
        spec: { agent: 'adm-nobody' },
      }),
      allowed(),
    ),
    of(
      'creates a TokenRevocation of nothing',
      create({ kind: 'TokenRevocation', metadata: { name: 'adm-nothing', namespace: AGENTS }, spec: {} }),
      schema(
        'spec: Invalid value: say what is revoked: set at least one of agent, transaction, tokenID, subject, policy or everything',
      ),
    ),
    of(
      'changes a TokenRevocation',
      mergePatch(at('TokenRevocation', 'leak', AGENTS), { spec: { agent: 'deployer' } }),
      schema(
        'spec: Invalid value: a TokenRevocation cannot change, because what it has revoked stays so; create another one',
      ),
    ),
  ];
}

/** See the file. */
export const ADMIN_LIMIT_ROWS: readonly Row[] = others();
