-- Record the result and hand it to everyone who waits for it. A claim that is not known any more is recorded too,
-- since its effect has happened.
-- KEYS: as in common.lua.
-- ARGV: 1 fence, 2 result, 3 ms until the claim is forgotten, 4 attempts.
-- Reply: 'done', or 'stale' if the claim is another's now.
local claim, fence = loaded(), tonumber(ARGV[1])
if claim.state ~= '' and claim.fence ~= fence then return 'stale' end
if claim.state == 'done' then return 'done' end
local attempts = math.max(claim.attempts, tonumber(ARGV[4]))
write(ARGV[3], 'state', 'done', 'fence', fence, 'attempts', attempts, 'result', ARGV[2], 'lease', 0, 'lands', 0,
  'doubt', 0)
wake(string.format('%d %s', attempts, ARGV[2]))
return 'done'
