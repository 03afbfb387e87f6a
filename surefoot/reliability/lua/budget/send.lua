-- Mark this attempt's hold as sent. An earlier attempt that is still marked sent is charged its bound as unknown;
-- a hold that is missing is taken anew, if the hard line leaves room for it; if it should not be missing, the store
-- has lost writes. Only for a first attempt is that judged: an earlier one may have been settled.
-- KEYS and ARGV: as in common.lua. Own ARGV: ms until a sent hold is charged, its bound, the epoch that the hold was
-- taken under, ms when an unused hold can have ended by itself.
-- Reply: 'sent', 'over' (the cap leaves no room) or 'superseded' (a later attempt began, this one is settled or
-- charged already, or the run is over); number of the scope that is full or 0; the books.
local at, ends, bound = now(), tonumber(ARGV[6]), tonumber(ARGV[7])
local scopes = opened(at)
if redis.call('EXISTS', KEYS[2]) == 1 then return closed(scopes, { 'superseded', 0 }) end
local known = ATTEMPT > 1 or #scopes == 0
for _, s in ipairs(scopes) do
  s.hold = live(s)
  known = known or s.hold
  local later = s.hold and s.hold.state == 'sent' and s.hold.attempt > ATTEMPT
  local ended = redis.call('HMGET', s.books, 'c:' .. CALL, 'x:' .. HOLD)
  if later or ended[1] or ended[2] then return closed(scopes, { 'superseded', 0 }) end
end
if not known then missed(ARGV[8], tonumber(ARGV[9]), at) end

for _, s in ipairs(scopes) do
  if s.hold and s.hold.state == 'sent' and s.hold.attempt < ATTEMPT then
    charge(s, HOLD, s.hold, at)
    s.hold = nil
  end
end
for i, s in ipairs(scopes) do
  if not s.hold and not fits(s, bound, s.limit) then return closed(scopes, { 'over', i }) end
end
for _, s in ipairs(scopes) do
  if not s.hold then add(s, 'held', bound) end
  local hold = s.hold or { bound = bound, rung = 1, tight = 0, at = string.format('%.0f', at) }
  hold.state, hold.attempt = 'sent', ATTEMPT
  remember(s, 'h:' .. HOLD, hold, at + ends)
end
return closed(scopes, { 'sent', 0 })
