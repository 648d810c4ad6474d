/** What the policies of a bundle allow, for the slow reference: steps 13, 15 and 16. */

import type { Asked } from '../../../src/domain/delegation/chain.ts';
import type { Json } from './reference-form.ts';
import { capabilitiesOf, covers, type Hop, must, within } from './reference-rules.ts';
import type { Bundle } from './scene.ts';

/** Whether the chain may begin as it does, be so long, and go over each of its edges by one rule alone. */
export function checkAllowed(chain: readonly Json[], hops: readonly Hop[], { policy }: Bundle): void {
  const [root, leaf] = [hops[0], chain.at(-1) ?? {}];
  const agents = policy['agents'] as Readonly<Record<string, Json>>;
  must(chain[0]?.['sub_id'] !== undefined || agents[root?.from ?? '']?.['originate'] === true);
  must(chain.every((claims) => hops.length <= Number(claims['del_max_depth'])));
  for (const [index, hop] of hops.entries()) {
    const isLast = index === hops.length - 1;
    const allowing = grantsOf(policy, hop).filter(
      (grant) =>
        Number(grant['maxDepth']) >= hops.length &&
        (isLast || passesOn(grant, leaf)) &&
        (hop.claims === undefined || allowsToken(grant, hop.claims, Number(root?.iat))),
    );
    must(hop.from !== hop.to && allowing.length > 0);
  }
}

/** Whether the token grants what is asked, and the audience does not only hold it to pass on. */
export function checkAsked(leaf: Json, hops: readonly Hop[], asked: Asked, { policy }: Bundle): void {
  const last = hops.at(-1);
  const granted = capabilitiesOf(leaf).find(({ name }) => name === asked.name);
  must(granted !== undefined && last !== undefined);
  must((granted['resources'] as readonly string[]).some((each) => within(each, asked.resource ?? '*')));
  const held = grantsOf(policy, last).flatMap((grant) => grant['capabilities'] as readonly Json[]);
  must(held.some(({ name, use }) => name === asked.name && use !== 'Delegate'));
}

function grantsOf(policy: Json, { from, to }: Hop): readonly Json[] {
  const edges = (policy['edges'] as readonly Json[]).filter(
    (edge) => edge['from'] === from && edge['to'] === to,
  );
  return edges.flatMap((edge) => edge['grants'] as readonly Json[]);
}

function passesOn({ capabilities }: Json, leaf: Json): boolean {
  return capabilitiesOf(leaf).every((wanted) =>
    (capabilities as readonly Json[]).some((held) => covers(held, wanted) && held['use'] !== 'Invoke'),
  );
}

function allowsToken({ capabilities, tokens, taskTtlSeconds }: Json, claims: Json, rootIat: number): boolean {
  const { maxTtlSeconds, maxUses } = tokens as Json;
  const until = claims['del_exp'];
  return (
    capabilitiesOf(claims).every((wanted) =>
      (capabilities as readonly Json[]).some((held) => covers(held, wanted)),
    ) &&
    Number(claims['exp']) - Number(claims['iat']) <= Number(maxTtlSeconds) &&
    Number(claims['max_uses'] ?? 1) <= Number(maxUses) &&
    (until === undefined ||
      (taskTtlSeconds !== undefined && Number(until) <= rootIat + Number(taskTtlSeconds)))
  );
}
