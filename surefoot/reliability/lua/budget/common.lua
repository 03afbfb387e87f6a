-- Prepended to every script of the budget.
-- KEYS: 1 the store's epoch, 2 the receipt of the call, then two a scope: its books (hash), and the ends of its
-- holds (zset). The books: settled, held, unknown, limit (only if an operator set one), crossed:<line>, and
-- h:<hold> = "state attempt bound rung at" for a live hold, c:<hold>#<attempt> for one charged at its bound.
-- ARGV: 1 hold, 2 attempt, 3 a fresh epoch, 4 ms that receipts and charges are remembered, 5 the number of the
-- script's own arguments, those, then five a scope: begin and end of its window in ms (0 0: not checked), limit,
-- soft percent, ms until idle books are forgotten (0: never). Money is in whole nano-dollars, exact up to 2^53.
local HOLD, ATTEMPT, MEMORY, OWN = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[5])
local CALL = HOLD .. '#' .. ARGV[2]

local function parsed(value)
  if not value then return nil end
  local state, attempt, bound, rung, at = string.match(value, '^(%a+) (%d+) (%d+) (%d+) (%d+)$')
  return { state = state, attempt = tonumber(attempt), bound = tonumber(bound), rung = tonumber(rung), at = at }
end

local function add(s, field, amount)
  s[field] = s[field] + amount
  redis.call('HINCRBY', s.books, field, string.format('%.0f', amount + 0)) -- + 0: there is no "-0"
end

local function remember(s, field, hold, ends)
  redis.call('HSET', s.books, field, string.format(
    '%s %d %.0f %d %s', hold.state, hold.attempt, hold.bound, hold.rung, hold.at))
  redis.call('ZADD', s.ends, ends, field)
end

local function forget(s, field)
  redis.call('HDEL', s.books, field)
  redis.call('ZREM', s.ends, field)
end

-- A sent hold whose outcome nobody told: spent at its bound until a settlement says better.
local function charge(s, id, hold, at)
  forget(s, 'h:' .. id)
  add(s, 'held', -hold.bound)
  add(s, 'settled', hold.bound)
  add(s, 'unknown', hold.bound)
  hold.state = 'charged'
  remember(s, 'c:' .. id .. '#' .. hold.attempt, hold, at + MEMORY)
end

local function swept(s, at)
  for _, field in ipairs(redis.call('ZRANGEBYSCORE', s.ends, '-inf', at, 'LIMIT', 0, 500)) do
    local hold = parsed(redis.call('HGET', s.books, field))
    if hold and hold.state == 'sent' then
      charge(s, string.sub(field, 3), hold, at)
    else
      if hold and hold.state == 'reserved' then add(s, 'held', -hold.bound) end
      forget(s, field)
    end
  end
end

-- Every scope with its books, swept; nil if a window is not the one that it is now.
local function opened(at)
  local scopes = {}
  for i = 1, (#KEYS - 2) / 2 do
    local a = 5 + OWN + (i - 1) * 5
    local from, to, percent = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 4])
    if to > 0 and (at < from or at >= to) then return nil end
    local f = redis.call('HMGET', KEYS[i * 2 + 1], 'settled', 'held', 'unknown', 'limit')
    local limit = tonumber(f[4] or ARGV[a + 3])
    scopes[i] = {
      books = KEYS[i * 2 + 1], ends = KEYS[i * 2 + 2], ttl = tonumber(ARGV[a + 5]), limit = limit,
      soft = math.floor(limit / 100) * percent + math.floor(limit % 100 * percent / 100),
      settled = tonumber(f[1] or 0), held = tonumber(f[2] or 0), unknown = tonumber(f[3] or 0),
    }
  end
  for _, s in ipairs(scopes) do swept(s, at) end
  return scopes
end

local function live(s)
  return parsed(redis.call('HGET', s.books, 'h:' .. HOLD))
end

local function fits(s, bound, line)
  return bound <= line - s.settled - s.held
end

local function epoch()
  redis.call('SETNX', KEYS[1], ARGV[3])
  return redis.call('GET', KEYS[1])
end

-- The lines that settled money has reached, told once a scope and window: "2:soft" is the second scope's.
local function crossed(scopes, act, stopped)
  local lines = {}
  local function tell(i, s, line)
    redis.call('HSETNX', s.books, 'crossed:' .. line, act)
    if redis.call('HGET', s.books, 'crossed:' .. line) == act then lines[#lines + 1] = i .. ':' .. line end
  end
  for i, s in ipairs(scopes) do
    if s.settled > 0 and s.settled >= s.soft then tell(i, s, 'soft') end
    if i == stopped or (s.settled > 0 and s.settled >= s.limit) then tell(i, s, 'hard') end
  end
  return table.concat(lines, ',')
end

-- The end of every reply: settled, held, unknown, limit and soft line of each scope.
local function closed(scopes, reply)
  for _, s in ipairs(scopes) do
    for _, field in ipairs({ 'settled', 'held', 'unknown', 'limit', 'soft' }) do reply[#reply + 1] = s[field] end
    if s.ttl > 0 then
      redis.call('PEXPIRE', s.books, s.ttl)
      redis.call('PEXPIRE', s.ends, s.ttl)
    end
  end
  return reply
end
