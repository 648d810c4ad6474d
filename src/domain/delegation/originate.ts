/** Who may start a chain of delegations. */

/**
 * Whether an agent may, by `tokens.originate` of its AgentIdentity: `Always`, `Never`, or `Auto`, which is what leaving it
 * out means: only while no edge leads to the agent, because one that is called acts for its caller. Any other value is
 * refused: then it may not.
 */
export function mayOriginate(originate: string | undefined, hasDelegators: boolean): boolean {
  if (originate === undefined || originate === 'Auto') return !hasDelegators;
  return originate === 'Always';
}
