-- Prepended to every script of the breaker.
-- KEYS: 1 the breaker (hash), 2 its last failures (list of "ms token"), 3 its last transitions (list of JSON),
-- 4 the probes under way (zset of tokens by the end of their lease).
local IDLE = 86400000 -- a closed breaker is forgotten after a day
local REMEMBERED = 16 -- transitions

local function loaded()
  local f = redis.call('HMGET', KEYS[1], 'state', 'generation', 'born', 'episodes', 'open_until', 'span', 'streak')
  return {
    state = f[1] or 'closed', generation = tonumber(f[2] or 0), born = f[3] or '', episodes = tonumber(f[4] or 0),
    open_until = tonumber(f[5] or 0), span = tonumber(f[6] or 0), streak = tonumber(f[7] or 0),
  }
end

local function episode_of(b)
  return b.episodes > 0 and (b.born .. '-' .. b.episodes) or ''
end

-- The transition that this cause brought about, if any: so a repetition is answered as the first time.
local function told(cause)
  for _, transition in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do
    if cjson.decode(transition)[1] == cause then return transition end
  end
  return ''
end

local function keep(ttl)
  for _, key in ipairs(KEYS) do
    if ttl then redis.call('PEXPIRE', key, ttl) else redis.call('PERSIST', key) end
  end
end

-- Change the state: a new generation, nothing counted, no probe under way. span is 0 unless it opens.
local function moved(b, after, reason, cause, at, span, open_until)
  local opening = after == 'open' or after == 'forced_open'
  if opening and (b.state == 'closed' or b.state == 'disabled') then b.episodes = b.episodes + 1 end
  if b.born == '' then b.born = string.format('%.0f', at) end
  b.generation = b.generation + 1
  local transition = cjson.encode({ cause, b.state, after, b.generation, episode_of(b), reason, at, open_until })
  redis.call('HSET', KEYS[1], 'state', after, 'generation', b.generation, 'born', b.born, 'episodes', b.episodes,
    'open_until', open_until, 'span', span, 'reason', reason)
  redis.call('HDEL', KEYS[1], 'streak', 'throttles')
  redis.call('DEL', KEYS[2], KEYS[4])
  redis.call('LPUSH', KEYS[3], transition)
  redis.call('LTRIM', KEYS[3], 0, REMEMBERED - 1)
  b.state = after
  keep(after == 'closed' and IDLE or nil)
  return transition
end
