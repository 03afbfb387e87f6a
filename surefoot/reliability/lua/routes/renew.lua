-- Let the route of an incident hold longer. One that is gone, or another incident's, stays as it is.
-- KEYS: as in common.lua.
-- ARGV: 1 model, 2 incident, 3 ms that it holds.
-- Reply: 1 if it was renewed, else 0.
local at = now()
local route = live(MODEL, at)
if not route or route.incident ~= INCIDENT then return 0 end
route['until'] = at + tonumber(ARGV[3])
write(MODEL, route, at)
return 1
