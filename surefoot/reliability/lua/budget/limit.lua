-- Set the limit of a scope by hand, for this window and those to come, or take back what was set.
-- KEYS and ARGV: as in common.lua, with one scope. Own ARGV: limit or '', who, reason.
-- Reply: 'done', 'window' (the caller's window is over) or 'too_large'; ms now; the books.
local at = now()
local scopes = opened(at)
if not scopes then return { 'window', at } end
local s, limit = scopes[1], tonumber(ARGV[6])
if acted() then return closed(scopes, { 'done', at }) end
if (limit or s.given) + s.extra > LARGEST then return closed(scopes, { 'too_large', at }) end
if limit then redis.call('HSET', KEYS[3], s.name, ARGV[6]) else redis.call('HDEL', KEYS[3], s.name) end
s.set = limit
lined(s)
record(s, 'set', ARGV[6], ARGV[7], ARGV[8], at)
return closed(scopes, { 'done', at })
