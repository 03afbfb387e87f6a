-- Begin the window of a scope anew: nothing spent, nothing topped up. Calls in flight stay held; of a charge at its
-- bound no more is known, so that its truth, told later, is booked as new spending.
-- KEYS and ARGV: as in common.lua, with one scope. Own ARGV: '', who, reason.
-- Reply: 'done' or 'window' (the caller's window is over); ms now; the books.
local at = now()
local scopes = opened(at)
if not scopes then return { 'window', at } end
local s = scopes[1]
if acted() then return closed(scopes, { 'done', at }) end
local before = string.format('%.0f', s.settled)
for _, field in ipairs(redis.call('ZRANGE', s.ends, 0, -1)) do
  if string.sub(field, 1, 2) == 'c:' then forget(s, field) end
end
redis.call('HDEL', s.books, 'settled', 'unknown', 'extra')
s.settled, s.unknown, s.extra = 0, 0, 0
lined(s)
record(s, 'reset', before, ARGV[7], ARGV[8], at)
return closed(scopes, { 'done', at })
