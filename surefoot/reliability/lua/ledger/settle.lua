-- Say as an operator what became of an effect whose outcome is unknown or in doubt. Whoever held the claim before is
-- refused from then on by its fence.
-- KEYS: as in common.lua.
-- ARGV: 1 act, 2 'done' or 'free' (not done), 3 result or '', 4 who, 5 why, 6 ms until the claim is forgotten.
-- Reply: 'settled', 'missing', 'live' (somebody works on it), 'done', 'landing' (a request may still have its effect)
-- or 'clear' (nothing is in doubt).
local at, claim = now(), loaded()
if claim.state == '' then return 'missing' end
if redis.call('HGET', KEYS[1], 'act') == ARGV[1] then return 'settled' end
if claim.state == 'done' then return 'done' end
if working(claim) and claim.lease > at then return 'live' end
if ARGV[2] == 'free' and math.max(claim.lands, claim.doubt) > at then return 'landing' end
if claim.state ~= 'unknown' and claim.state ~= 'sent' and claim.doubt == 0 then return 'clear' end
write(ARGV[6], 'state', ARGV[2], 'fence', claim.fence + 1, 'lease', 0, 'act', ARGV[1],
  'settled', ARGV[2], 'by', ARGV[4], 'reason', ARGV[5], 'settled_at', at)
redis.call('HDEL', KEYS[1], 'lands', 'doubt')
if ARGV[2] == 'done' then
  redis.call('HSET', KEYS[1], 'result', ARGV[3])
  wake(string.format('%d %s', claim.attempts, ARGV[3]))
else
  redis.call('HSET', KEYS[1], 'owner', '', 'attempts', 0)
  wake('gone')
end
return 'settled'
