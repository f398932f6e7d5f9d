/**
 * What Redis does in one step (docs/CACHE.md). The level is `{epoch} {live epoch} {revision} {event}`: what the commits up to
 * that revision changed has been taken out of the cache. A value is `{epoch} {revision} …`, and counts only in its epoch.
 * The event tells one commit from another of the same revision, of a database that was put back from an old copy.
 */

/** KEYS: level, pointer, users that changed. ARGV: live epoch, from (`''`: unknown), to, an epoch to begin, lifetime, namespace, event of `to`. */
export const ADVANCE = `
local level = redis.call('GET', KEYS[1])
local epoch, live, revision, event
if level then epoch, live, revision, event = string.match(level, '^(%S+) (%d+) (%d+) (%S+)$') end
local follows = false
if epoch and live == ARGV[1] then
  local at, to = tonumber(revision), tonumber(ARGV[3])
  follows = (at == to and event == ARGV[7]) or (ARGV[2] ~= '' and at >= tonumber(ARGV[2]) and at < to)
end
if not follows then epoch = ARGV[4] end
if #KEYS > 2 then redis.call('UNLINK', unpack(KEYS, 3)) end
redis.call('SET', KEYS[1], epoch .. ' ' .. ARGV[1] .. ' ' .. ARGV[3] .. ' ' .. ARGV[7], 'PX', ARGV[5])
redis.call('SET', KEYS[2], ARGV[6], 'PX', ARGV[5])
return epoch
`;

/** KEYS: level, users. ARGV: live epoch, revision, lifetime, a value for each user without its first two words. */
export const OFFER = `
local level = redis.call('GET', KEYS[1])
if not level then return 0 end
local epoch, live, revision = string.match(level, '^(%S+) (%d+) (%d+) %S+$')
if live ~= ARGV[1] or tonumber(revision) > tonumber(ARGV[2]) then return 0 end
local written = 0
for i = 2, #KEYS do
  local held = redis.call('GET', KEYS[i])
  local heldEpoch, heldRevision
  if held then heldEpoch, heldRevision = string.match(held, '^(%S+) (%d+) ') end
  if heldEpoch ~= epoch or tonumber(heldRevision) < tonumber(ARGV[2]) then
    redis.call('SET', KEYS[i], epoch .. ' ' .. ARGV[2] .. ' ' .. ARGV[i + 2], 'PX', ARGV[3])
    written = written + 1
  end
end
return written
`;
