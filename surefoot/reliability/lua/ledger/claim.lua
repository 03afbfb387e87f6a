-- Get the right to perform an effect, or its recorded result. A claim whose lease is over goes to whoever asks; one
-- of the same owner goes to its later attempt at once. Taken over after it was sent, it is in doubt.
-- KEYS: as in common.lua.
-- ARGV: 1 owner, 2 attempt, 3 lease in ms, 4 1 to mark it sent at once, 5 ms until it is forgotten, 6 ms until a
-- request that leaves now can no longer land, 7 the same of an earlier request that the caller remembers, or 0: if
-- Redis knows no claim, it has forgotten one, and the new one begins in doubt.
-- Reply: 'mine', 'done', 'busy' or 'unknown'; fence; attempts that reached the target; ms until an earlier request
-- may land or 0; ms that another's lease still lasts; the result or ''.
local owner, attempt, lease, ttl = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[5]
local at, claim = now(), loaded()

if claim.state == 'done' or claim.state == 'unknown' then
  redis.call('PEXPIRE', KEYS[1], ttl)
  return { claim.state, claim.fence, claim.attempts, 0, 0, claim.result }
end
local same = claim.owner == owner
if working(claim) and same and claim.attempt == attempt and claim.ended ~= claim.fence then
  local marked = claim.state == 'sent' and ARGV[4] == '1'
  write(ttl, 'lease', at + lease, 'lands', marked and math.max(claim.lands, at + tonumber(ARGV[6])) or claim.lands)
  return { 'mine', claim.fence, claim.attempts, claim.doubt, 0, '' }
end
if working(claim) and claim.lease > at and not (same and attempt > claim.attempt) then
  return { 'busy', claim.fence, claim.attempts, claim.doubt, claim.lease - at, '' }
end

local doubt, attempts = claim.doubt, same and claim.attempts or 0
if claim.state == 'sent' then doubt = math.max(doubt, claim.lands) end
if claim.state == '' and ARGV[7] ~= '0' then doubt = at + tonumber(ARGV[7]) end
local state, lands = 'claimed', 0
if ARGV[4] == '1' then state, lands, attempts = 'sent', at + tonumber(ARGV[6]), attempts + 1 end
write(ttl, 'state', state, 'owner', owner, 'attempt', attempt, 'fence', claim.fence + 1, 'lease', at + lease,
  'attempts', attempts, 'lands', lands, 'doubt', doubt)
return { 'mine', claim.fence + 1, attempts, doubt, 0, '' }
