-- Read the routes that hold; changes nothing.
-- KEYS: as in common.lua.
-- ARGV: none.
-- Reply: model and JSON of each.
local at, found = now(), {}
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if live(name, at) then
    found[#found + 1] = name
    found[#found + 1] = redis.call('HGET', KEYS[1], name)
  end
end
return found
