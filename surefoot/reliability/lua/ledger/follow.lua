-- Begin or stop to wait for the holder of a live claim.
-- KEYS: as in common.lua.
-- ARGV: 1 'join' or 'leave', 2 the follower.
-- Reply: 'done', 'wait' or 'gone' (nobody works on it); attempts; ms that the lease still lasts; the result or ''.
local at, claim = now(), loaded()
if claim.state == 'done' then return { 'done', claim.attempts, 0, claim.result } end
if not working(claim) or claim.lease <= at then return { 'gone', claim.attempts, 0, '' } end
redis.call(ARGV[1] == 'join' and 'SADD' or 'SREM', KEYS[3], ARGV[2])
redis.call('PEXPIRE', KEYS[3], claim.lease - at + WAKE_KEPT)
return { 'wait', claim.attempts, claim.lease - at, '' }
