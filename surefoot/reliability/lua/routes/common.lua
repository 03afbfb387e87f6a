-- Prepended to every script of the routes.
-- KEYS: 1 the routes (hash: model to JSON of to, incident, and at and until in ms). One whose time is over counts as
-- none.
local MODEL, INCIDENT = ARGV[1], ARGV[2]

local function live(model, at)
  local text = redis.call('HGET', KEYS[1], model)
  local route = text and cjson.decode(text)
  return route and route['until'] > at and route or nil
end

-- Write a route, and forget those whose time is over, with the whole hash after the last of them.
local function write(model, route, at)
  redis.call('HSET', KEYS[1], model, cjson.encode(route))
  local last = 0
  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
    local known = live(name, at)
    if known then last = math.max(last, known['until']) else redis.call('HDEL', KEYS[1], name) end
  end
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last))
end
