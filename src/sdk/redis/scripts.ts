/**
 * What Redis runs: the whole of one consumption as one script, so that nothing happens between its parts. It gives the
 * answers of the memory store in the same order, by the clock of the Redis server.
 *
 * A server may have lost what it was told, and a script cannot see that it did. So the fence is tied to everything that comes
 * with a loss: the run of the process (a restart, with however old a file), the replication ID (a failover, there and back),
 * the count of keys it evicted. When one of them is another than before, or the fence itself is gone (a flush), the store
 * begins anew: what was issued before is `replay_unknown`. What is forgotten stays so when the clock goes back: until it is
 * where it was, nothing can be told from what was used and forgotten.
 */

import { createHash } from 'node:crypto';
import { CLOCK_SKEW_SECONDS } from '../../domain/token/claims.ts';
import { LOT_SECONDS } from '../../domain/token/replay/replay-store.ts';

/** A script, and by what the server knows it. */
export interface RedisScript {
  readonly text: string;
  /** Hexadecimal SHA-1 of the text, as EVALSHA asks for. */
  readonly sha1: string;
}

// A fence that nobody asked for in so long goes, as all keys of an audience that is no more.
const FENCE_DAYS = 400;

/**
 * KEYS[1] is the fence, a hash of `marks`, `since` and `forgotten` (milliseconds). Leaves `now`, `since` and `forgotten`. Neither
 * of the instants ever becomes an earlier one.
 *
 * Writes are refused by a replica anyhow, unless it was made writable. Without min-replicas-to-write a primary that was cut
 * off goes on beside the one that took its place, and each would accept a token once; a node of a cluster stops by itself.
 */
const FENCE = `
local LOT = ${LOT_SECONDS * 1000}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function info(section)
  local text = redis.call('INFO', section)
  return function(name) return string.match(text, '[\\r\\n]' .. name .. ':([^\\r\\n]*)') end
end
local server, replication, stats = info('server'), info('replication'), info('stats')
if replication('role') ~= 'master' then return redis.error_reply('READONLY not a primary') end
if tonumber(replication('connected_slaves')) > 0 and server('redis_mode') ~= 'cluster'
  and not replication('min_slaves_good_slaves') then
  return redis.error_reply('UNGUARDED replicas without min-replicas-to-write')
end
local marks = server('run_id') .. ' ' .. replication('master_replid') .. ' ' .. stats('evicted_keys')
local fence = redis.call('HMGET', KEYS[1], 'marks', 'since', 'forgotten')
local since, forgotten = tonumber(fence[2]), tonumber(fence[3])
local is_known = fence[1] == marks and since and forgotten
if not is_known then
  forgotten = math.max(now, forgotten or 0)
  since = forgotten
end
-- the clock went back: keys may have ended until it did, and the last use was within a lot of what is noted
local is_back = now + LOT < forgotten and since < forgotten + LOT
if is_back then since = forgotten + LOT end
local lot = now - now % LOT
if not is_known or is_back or lot > forgotten then
  forgotten = math.max(lot, forgotten)
  redis.call('HSET', KEYS[1], 'marks', marks,
    'since', string.format('%.0f', since), 'forgotten', string.format('%.0f', forgotten))
  redis.call('PEXPIRE', KEYS[1], ${FENCE_DAYS * 86_400_000})
end
`;

/**
 * KEYS: fence, token, parent, rule. ARGV: record of the use, 16 octets for each of attempt, fingerprint and proof; `iat`;
 * when token and parent end; when the token is forgotten; `max_uses`; children a parent may have, or empty; when it is
 * forgotten; calls a rule allows, or empty; its period. All times in milliseconds.
 *
 * All that can fail reads before anything is written.
 */
const CONSUME = `
local record, issued, ends, token_until = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local max_uses, max_children, parent_until = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local max_calls, period = tonumber(ARGV[8]), tonumber(ARGV[9])
local function part(text, start, index) return string.sub(text, start + index * 16, start + index * 16 + 15) end
local attempt, fingerprint, proof = part(record, 1, 0), part(record, 1, 1), part(record, 1, 2)
local no_proof = string.rep('\\0', 16)

local uses = redis.call('GET', KEYS[2]) or ''
local is_part_seen, is_request_seen = false, 0
for start = 1, #uses, 48 do
  if string.sub(uses, start, start + 47) == record then return {'accepted', 0} end
  if part(uses, start, 0) == attempt then is_part_seen = true end
  if proof ~= no_proof and part(uses, start, 2) == proof then is_part_seen = true end
  if part(uses, start, 1) == fingerprint then is_request_seen = 1 end
end

local calls = 0
if max_calls then
  local left = redis.call('PTTL', KEYS[4])
  calls = tonumber(redis.call('GET', KEYS[4]) or 0)
  if left <= 0 or left > period then calls, left = 0, period end
  if calls >= max_calls then return {'rate_limited', math.ceil(left / 1000)} end
end
if issued <= since + ${CLOCK_SKEW_SECONDS * 1000} or ends <= forgotten then return {'replay_unknown', 0} end
if uses ~= '' and (#uses >= max_uses * 48 or is_part_seen) then return {'replayed', is_request_seen} end
local children = 0
if max_children and uses == '' then
  children = tonumber(redis.call('GET', KEYS[3]) or 0)
  if children >= max_children then return {'fanout_exceeded', 0} end
end

if uses == '' then redis.call('SET', KEYS[2], record, 'PXAT', token_until)
else redis.call('APPEND', KEYS[2], record) end
if max_children and uses == '' then
  if children == 0 then redis.call('SET', KEYS[3], 1, 'PXAT', parent_until)
  else redis.call('INCR', KEYS[3]) end
end
if max_calls then
  if calls == 0 then redis.call('SET', KEYS[4], 1, 'PX', period) else redis.call('INCR', KEYS[4]) end
end
return {'accepted', 0}
`;

/** Uses a token: answers with the name of the outcome and a number, seconds to wait or whether the request was seen. */
export const CONSUME_SCRIPT: RedisScript = script(FENCE + CONSUME);

/** Sees to it that there is a fence: the sooner it begins, the fewer tokens are refused for it. */
export const FENCE_SCRIPT: RedisScript = script(`${FENCE}return {'accepted', 0}`);

function script(text: string): RedisScript {
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}
