-- Lead the runs of a model to another one, in the place of any earlier route. The same route again is renewed.
-- KEYS: as in common.lua.
-- ARGV: 1 model, 2 incident, 3 the other model, 4 ms that it holds.
-- Reply: when it began and when it ends, in ms.
local at = now()
local known = live(MODEL, at)
local same = known and known.incident == INCIDENT and known.to == ARGV[3]
local route = { to = ARGV[3], incident = INCIDENT, at = same and known.at or at, ['until'] = at + tonumber(ARGV[4]) }
write(MODEL, route, at)
return { string.format('%.0f', route.at), string.format('%.0f', route['until']) }
