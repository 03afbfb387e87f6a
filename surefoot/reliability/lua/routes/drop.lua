-- End the route of an incident, or whoever's it is if none is named.
-- KEYS: as in common.lua.
-- ARGV: 1 model, 2 incident or nothing.
-- Reply: 1 if another incident's route stays, else 0.
local route = live(MODEL, now())
if route and INCIDENT ~= '' and route.incident ~= INCIDENT then return 1 end
redis.call('HDEL', KEYS[1], MODEL)
return 0
