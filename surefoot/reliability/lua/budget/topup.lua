-- Add money to the limit of a scope, for this window.
-- KEYS and ARGV: as in common.lua, with one scope. Own ARGV: amount, who, reason.
-- Reply: 'done', 'window' (the caller's window is over) or 'too_large'; ms now; the books.
local at, amount = now(), tonumber(ARGV[6])
local scopes = opened(at)
if not scopes then return { 'window', at } end
local s = scopes[1]
if acted() then return closed(scopes, { 'done', at }) end
if s.limit + amount > LARGEST then return closed(scopes, { 'too_large', at }) end
add(s, 'extra', amount)
lined(s)
record(s, 'top_up', ARGV[6], ARGV[7], ARGV[8], at)
return closed(scopes, { 'done', at })
