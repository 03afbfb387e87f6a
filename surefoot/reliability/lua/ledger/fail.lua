-- Say what becomes of a claim whose attempt failed. Its lease ends, and those who follow it are told to look again.
-- KEYS: as in common.lua.
-- ARGV: 1 fence, 2 fate (released, clear, doubt, unknown), 3 1 if the request reached the target, 4 ms until the
-- claim is forgotten.
-- Reply: the state afterwards, or 'stale' if the claim is another's now.
local at, claim, fence, fate = now(), loaded(), tonumber(ARGV[1]), ARGV[2]
if claim.state == '' or claim.fence ~= fence then return 'stale' end
if not working(claim) or claim.ended == fence then return claim.state end

local attempts, owner = claim.attempts, claim.owner
if ARGV[3] == '0' and claim.state == 'sent' then attempts = math.max(0, attempts - 1) end
local state = 'free' -- which keeps the doubt of an earlier request, but adds none
if fate == 'doubt' and (ARGV[3] == '1' or claim.doubt == 0) then
  state = 'sent'
elseif fate == 'unknown' then
  state = 'unknown'
elseif fate == 'released' then
  attempts, owner = 0, ''
end
write(ARGV[4], 'state', state, 'owner', owner, 'attempts', attempts, 'lease', 0, 'ended', fence,
  'lands', math.max(claim.lands, at))
wake('gone')
return state
