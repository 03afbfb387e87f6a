-- Read a breaker; changes nothing.
-- KEYS: as in common.lua.
-- ARGV: none.
-- Reply: state, generation, episode, failures within the window, open until in ms, reason, ms now.
local at, b = now(), loaded()
local window = tonumber(redis.call('HGET', KEYS[1], 'window') or 0)
local recent = 0
for _, entry in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  if at - tonumber(string.match(entry, '^%d+')) < window then recent = recent + 1 end
end
return { b.state, b.generation, episode_of(b), recent, b.open_until, redis.call('HGET', KEYS[1], 'reason') or '', at }
