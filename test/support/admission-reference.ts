/**
 * Whether an edit of a policy may be admitted, said as plainly and slowly as possible: for one concrete use at a time, from
 * the raw facts, by membership alone. Nothing of src/domain is used but its types.
 */

import type {
  AgentFacts,
  AgentId,
  BoundaryFacts,
  PolicyFacts,
  RuleFacts,
} from '../../src/domain/delegation/facts.ts';
import { matches, type World } from './delegation-reference.ts';

/** A use of a capability: on a concrete resource, or on none, which only a capability without resources allows. */
type Use = string | undefined;

/**
 * Uses that tell all patterns of random worlds apart: of what each pattern stands for, one is below no longer pattern. Of
 * what has no resources, the use on none is.
 */
const USES: readonly Use[] = [
  undefined,
  'other',
  '/other',
  '/data',
  '/data/other',
  '/data/a',
  '/data/a/other',
  '/data/b/other',
  'data/other',
  's3://x/other',
];

/** Why an edit is not admitted; see `docs/admission.md`. */
export type Reason = 'a' | 'b' | 'c';

/** A capability as it stands in a list. */
interface Listed {
  readonly name: string;
  readonly resources?: readonly string[];
  readonly use?: 'Invoke' | 'Delegate';
}

/** Reasons for which what an edit adds may not be admitted; none: it is admitted. */
export function referenceReasons(
  world: World,
  before: PolicyFacts | undefined,
  after: PolicyFacts,
): ReadonlySet<Reason> {
  const reasons = new Set<Reason>();
  for (const rule of after.rules) {
    for (const { name, resources } of rule.capabilities) {
      for (const pattern of resources ?? [undefined]) {
        if (!rule.to.some((to) => isAdded(before, rule, { to, name, pattern }))) continue;
        const asked = { name, pattern };
        if (delegatorLacks(world, `${after.namespace}/${rule.from}`, asked)) reasons.add('a');
        if (allTargetsLack(world, rule, asked)) reasons.add('b');
        if (boundariesLack(world, after.namespace, rule, asked)) reasons.add('c');
      }
    }
  }
  return reasons;
}

/** One entry of a rule for one of its resources; without any: for the name. */
interface Asked {
  readonly name: string;
  readonly pattern: string | undefined;
}

/** Whether there is a use that it allows between the two agents and that the old policy did not. */
function isAdded(
  before: PolicyFacts | undefined,
  { from }: RuleFacts,
  { to, name, pattern }: Asked & { readonly to: AgentId },
): boolean {
  const old = (before?.rules ?? []).filter((rule) => rule.from === from && rule.to.includes(to));
  return usesOf(pattern).some(
    (use) => !old.some((rule) => rule.capabilities.some((each) => each.name === name && allows(each, use))),
  );
}

function usesOf(pattern: string | undefined): readonly Use[] {
  return USES.filter((use) => pattern === undefined || (use !== undefined && matches(pattern, use)));
}

function allows({ resources }: Listed, use: Use): boolean {
  return resources === undefined || (use !== undefined && resources.some((pattern) => matches(pattern, use)));
}

/** What somebody may do at most, one use at a time. */
type Limit = (name: string, use: Use) => boolean;

/** Whether a limit lacks some of what is asked; without a resource it is asked for any use of the name. */
function lacks(limit: Limit, { name, pattern }: Asked): boolean {
  return pattern === undefined
    ? !USES.some((use) => limit(name, use))
    : usesOf(pattern).some((use) => !limit(name, use));
}

function limitOf(list: readonly Listed[]): Limit {
  return (name, use) => list.some((each) => each.name === name && allows(each, use));
}

function agentOf(world: World, id: AgentId): AgentFacts | undefined {
  return world.agents.find(({ namespace, name }) => `${namespace}/${name}` === id);
}

function delegatorLacks(world: World, from: AgentId, asked: Asked): boolean {
  const agent = agentOf(world, from);
  return (
    agent !== undefined && lacks(limitOf(agent.capabilities.filter(({ use }) => use !== 'Invoke')), asked)
  );
}

function allTargetsLack(world: World, rule: RuleFacts, asked: Asked): boolean {
  const targets = rule.to.map((to) => agentOf(world, to));
  return targets.every((target) => target !== undefined && lacks(limitOf(target.capabilities), asked));
}

function boundariesLack(world: World, namespace: string, rule: RuleFacts, asked: Asked): boolean {
  const targets = rule.to.map((to) => agentOf(world, to)).filter((target) => target !== undefined);
  return (
    lacks(boundaryOf(world, namespace), asked) ||
    (targets.length > 0 && targets.every((target) => lacks(boundaryOf(world, target.namespace), asked)))
  );
}

/** What all boundaries of a namespace allow. */
function boundaryOf(world: World, namespace: string): Limit {
  const labels = world.namespaces.get(namespace);
  const boundaries = world.boundaries.filter((boundary) => isSelected(boundary, labels));
  return (name, use) =>
    boundaries.every(({ capabilities }) => capabilities === undefined || limitOf(capabilities)(name, use));
}

function isSelected(
  { namespaceSelector: { matchLabels = {} } }: BoundaryFacts,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  return labels === undefined || Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
}
