-- Mark that a request is about to leave. Counts an attempt; a repetition does not. An attempt that reported its
-- failure may send no more.
-- KEYS: as in common.lua.
-- ARGV: 1 fence, 2 attempts before this one, 3 ms until the request can no longer land, 4 ms until forgotten.
-- Reply: 'sent', or 'stale' if the claim is not the caller's any more; attempts; ms until an earlier request may
-- land or 0.
local at, claim, fence = now(), loaded(), tonumber(ARGV[1])
if not working(claim) or claim.fence ~= fence or claim.ended == fence then
  return { 'stale', claim.attempts, claim.doubt }
end
local attempts, lands = tonumber(ARGV[2]) + 1, at + tonumber(ARGV[3])
write(ARGV[4], 'state', 'sent', 'attempts', attempts, 'lands', lands, 'lease', math.max(claim.lease, lands))
return { 'sent', attempts, claim.doubt }
