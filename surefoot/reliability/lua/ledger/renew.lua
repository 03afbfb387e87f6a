-- Lengthen the lease of a claim at work.
-- KEYS: as in common.lua.
-- ARGV: 1 fence, 2 lease in ms, 3 ms until the claim is forgotten.
-- Reply: 1, or 0 if the claim is another's now.
local at, claim = now(), loaded()
if claim.fence ~= tonumber(ARGV[1]) then return 0 end
if working(claim) then write(ARGV[3], 'lease', math.max(claim.lease, at + tonumber(ARGV[2]))) end
return 1
