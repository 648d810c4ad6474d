// biome-ignore-all lint/performance/noBarrelFile: the one entry of the package that agents import
/** `agent-trust/sdk`: everything that the author of an agent imports. What is not here is not public. */

export type { Capability } from '../domain/capability/capability.ts';
export type { CapabilityClaims, GrantedCapability } from '../domain/token/claims.ts';
export { REFUSAL_NAMES, type Refusal, type RefusalName } from '../domain/token/refusal.ts';
export { MemoryReplayStore } from '../domain/token/replay/memory-store.ts';
export type { Consumption, ConsumptionResult, ReplayStore } from '../domain/token/replay/replay-store.ts';
export type { TokenRefusal } from '../domain/token/verify/examine.ts';
export type { Peer, TokenRequest } from '../domain/token/verify/verifier.ts';
export type { Accepted } from '../domain/token/verify/verify.ts';
export { type Agent, type AgentOptions, loadAgent } from './agent.ts';
export type { DelegatedToken, TokenWish } from './delegate.ts';
export type { AgentFiles } from './files/agent-files.ts';
export type { FileProblem, FileProblemCode } from './files/file-problem.ts';
export type { ParentToken, WantedCapability } from './http/agent-core.ts';
export type { ServeOptions, ServerOptions, Serving } from './http/agent-http.ts';
export { CallFailed, type CallFailureCode } from './http/call-failed.ts';
export { type Delegation, Refused } from './http/delegation.ts';
export type { GuardOptions, PeerSource } from './http/guard.ts';
export { answerRefused, type Middleware, requireCapability } from './http/middleware.ts';
export type { CallInit } from './http/outgoing-request.ts';
export { RefusalCounts } from './http/refusal-counts.ts';
export type { WebHandler } from './http/web-handler.ts';
export { LoadFailed, type LoadFailureCode } from './load-failed.ts';
export { RedisStoreError, type RedisStoreErrorCode } from './redis/connection.ts';
export { type RedisReplayStore, type RedisReplayStoreOptions, redisReplayStore } from './redis-store.ts';
