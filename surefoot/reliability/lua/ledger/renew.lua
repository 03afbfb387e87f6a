-- Lengthen the lease of a claim at work. The lease of an attempt that reported its failure has ended, and stays so.
-- KEYS: as in common.lua.
-- ARGV: 1 fence, 2 lease in ms, 3 ms until the claim is forgotten.
-- Reply: 1, or 0 if the claim is not the caller's any more.
local at, claim, fence = now(), loaded(), tonumber(ARGV[1])
if claim.fence ~= fence or claim.ended == fence then return 0 end
if working(claim) then write(ARGV[3], 'lease', math.max(claim.lease, at + tonumber(ARGV[2]))) end
return 1
