-- Prepended to every script of the breaker.
-- KEYS: 1 the breaker (hash), 2 its last failures (list of "ms token"), 3 its last transitions (list of JSON),
-- 4 the probes under way (zset of tokens by the end of their lease), 5 its last calls, where a share of them
-- counts (zset of "marks token" by ms; marks: f failed, s slow), 6 its last successes (zset of tokens by ms).
local IDLE = 86400000 -- a closed breaker is forgotten after a day
local REMEMBERED = 16 -- transitions
local MOST_CALLS = 1000
local SUCCESSES = 256

local function loaded()
  local f = redis.call('HMGET', KEYS[1], 'state', 'generation', 'born', 'episodes', 'open_until', 'span', 'streak',
    'since')
  return {
    state = f[1] or 'closed', generation = tonumber(f[2] or 0), born = f[3] or '', episodes = tonumber(f[4] or 0),
    open_until = tonumber(f[5] or 0), span = tonumber(f[6] or 0), streak = tonumber(f[7] or 0),
    since = tonumber(f[8] or 0),
  }
end

local function episode_of(b)
  return b.episodes > 0 and (b.born .. '-' .. b.episodes) or ''
end

-- The transition that this cause brought about, if any: so a repetition is answered as the first time.
local function told(cause, generation)
  for _, transition in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do
    local known = cjson.decode(transition)
    if known[1] == cause and (not generation or known[4] == generation) then return transition end
  end
  return ''
end

local function keep(ttl)
  for _, key in ipairs(KEYS) do
    if ttl then redis.call('PEXPIRE', key, ttl) else redis.call('PERSIST', key) end
  end
end

-- The next open span, twice the last one, and how long it is with its jitter: up to a tenth shorter.
local function longer(b, open_for, open_at_most, at)
  local span = math.min(math.max(b.span, open_for) * 2, open_at_most)
  local jitter = (at % 100003 * 31 + b.generation * 7919) % 1000 / 10000
  return span, math.ceil(span * (1 - jitter))
end

-- Change the state: a new generation, nothing counted, no probe under way. span is 0 unless it opens.
local function moved(b, after, reason, cause, at, span, open_until)
  local opening = after == 'open' or after == 'forced_open'
  if opening and (b.state == 'closed' or b.state == 'disabled') then b.episodes = b.episodes + 1 end
  if b.born == '' then b.born = string.format('%.0f', at) end
  b.generation = b.generation + 1
  local transition = cjson.encode({ cause, b.state, after, b.generation, episode_of(b), reason, at, open_until })
  redis.call('HSET', KEYS[1], 'state', after, 'generation', b.generation, 'born', b.born, 'episodes', b.episodes,
    'open_until', open_until, 'span', span, 'reason', reason, 'since', string.format('%.0f', at))
  redis.call('HDEL', KEYS[1], 'streak', 'throttles', 'failed', 'slow')
  redis.call('DEL', KEYS[2], KEYS[4], KEYS[5], KEYS[6])
  redis.call('LPUSH', KEYS[3], transition)
  redis.call('LTRIM', KEYS[3], 0, REMEMBERED - 1)
  b.state, b.since = after, at
  keep(after == 'closed' and IDLE or nil)
  return transition
end

-- Count a failure; the reason to open, if it makes enough of them. One that is known already is not counted.
local function counted(b, token, at, failures, window, consecutive)
  local recent = 1
  for _, entry in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    local ms, of = string.match(entry, '^(%d+) (.*)$')
    if of == token then return nil end
    if at - tonumber(ms) < tonumber(window) then recent = recent + 1 end
  end
  redis.call('LPUSH', KEYS[2], string.format('%.0f %s', at, token))
  redis.call('LTRIM', KEYS[2], 0, math.max(failures, consecutive, REMEMBERED) - 1)
  redis.call('HSET', KEYS[1], 'streak', b.streak + 1, 'window', window)
  redis.call('HDEL', KEYS[1], 'throttles')
  if failures > 0 and recent >= failures then
    return string.format('%d failures within %g s', recent, window / 1000)
  end
  if consecutive > 0 and b.streak + 1 >= consecutive then return (b.streak + 1) .. ' failures in a row' end
end

-- End the row of failures; whether there was one. A success that is known already, told late, ends none after it.
local function mended(token, at)
  if redis.call('ZADD', KEYS[6], 'NX', at, token) == 0 then return false end
  redis.call('ZREMRANGEBYRANK', KEYS[6], 0, -SUCCESSES - 1)
  redis.call('PEXPIRE', KEYS[6], IDLE)
  return redis.call('HDEL', KEYS[1], 'streak', 'throttles') > 0
end

local function drop(member)
  if string.find(member, '^f') then redis.call('HINCRBY', KEYS[1], 'failed', -1) end
  if string.find(member, '^f?s') then redis.call('HINCRBY', KEYS[1], 'slow', -1) end
  redis.call('ZREM', KEYS[5], member)
end

-- Count a call among the window's; the reason to open, if too great a share of them failed or was slow.
local function shared(token, at, failed, slow, window, rate, slow_percent, calls)
  if rate + slow_percent == 0 then return nil end
  local member = (failed and 'f' or '') .. (slow and 's' or '') .. ' ' .. token
  if redis.call('ZADD', KEYS[5], 'NX', at, member) == 0 then return nil end
  redis.call('HINCRBY', KEYS[1], 'failed', failed and 1 or 0)
  redis.call('HINCRBY', KEYS[1], 'slow', slow and 1 or 0)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', at - tonumber(window))) do drop(old) end
  if redis.call('ZCARD', KEYS[5]) > MOST_CALLS then drop(redis.call('ZRANGE', KEYS[5], 0, 0)[1]) end
  local all = redis.call('ZCARD', KEYS[5])
  local failures = tonumber(redis.call('HGET', KEYS[1], 'failed'))
  local slow_ones = tonumber(redis.call('HGET', KEYS[1], 'slow'))
  if all < calls then return nil end
  if rate > 0 and failures * 100 >= rate * all then return string.format('%d of %d calls failed', failures, all) end
  if slow_percent > 0 and slow_ones * 100 >= slow_percent * all then
    return string.format('%d of %d calls were slow', slow_ones, all)
  end
end
