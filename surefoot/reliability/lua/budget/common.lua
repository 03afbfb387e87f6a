-- Prepended to every script of the budget.
-- KEYS: 1 the store's epoch, 2 the receipt of the call (string), or an operator's acts on the scope (list of JSON),
-- 3 the tenant's limits that an operator set (hash by scope), then two a scope: its books (hash), and the ends of
-- its holds (zset). The books: settled, held, unknown, extra (topped up), round, crossed:<line>, and h:<hold> =
-- "state attempt bound rung tight at" for a live hold, c:<hold>#<attempt> for one charged at its bound, x:<hold> for
-- one whose run is over.
-- ARGV: 1 hold or act, 2 attempt, 3 a fresh epoch, 4 ms that receipts, charges and acts are remembered, 5 the number
-- of the script's own arguments, those, then six a scope: begin and end of its window in ms (0 0: not checked),
-- limit, soft percent, ms until idle books are forgotten (0: never), 1 if it is enforced. Money is in whole
-- nano-dollars, exact up to 2^53.
local HOLD, ATTEMPT, MEMORY, OWN = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[5])
local ACTS, LARGEST, LOST = 20, 2 ^ 53, '-lost'
local CALL, MINE = HOLD .. '#' .. ARGV[2], 'h:' .. HOLD

local function parsed(value)
  if not value then return nil end
  local state, attempt, bound, rung, tight, at = string.match(value, '^(%a+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  return {
    state = state, attempt = tonumber(attempt), bound = tonumber(bound), rung = tonumber(rung),
    tight = tonumber(tight), at = at,
  }
end

local function add(s, field, amount)
  s[field] = s[field] + amount
  redis.call('HINCRBY', s.books, field, string.format('%.0f', amount + 0)) -- + 0: there is no "-0"
end

local function written(hold)
  return string.format(
    '%s %d %.0f %d %d %s', hold.state, hold.attempt, hold.bound, hold.rung, hold.tight, hold.at)
end

local function remember(s, field, hold, ends)
  redis.call('HSET', s.books, field, written(hold))
  redis.call('ZADD', s.ends, ends, field)
end

-- Hold money of this call in every scope.
local function take(scopes, hold, ends)
  local text, score = written(hold), string.format('%.0f', ends)
  for _, s in ipairs(scopes) do
    s.held = s.held + hold.bound
    redis.call('HSET', s.books, MINE, text, 'held', string.format('%.0f', s.held))
    redis.call('ZADD', s.ends, score, MINE)
  end
end

local function forget(s, field)
  if field == MINE then s.mine = nil end
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

-- The end of a hold of which nobody told: one that was only reserved is released.
local function over(s, id, hold, at)
  if hold.state == 'sent' then return charge(s, id, hold, at) end
  forget(s, 'h:' .. id)
  add(s, 'held', -hold.bound)
end

local function swept(s, at, upto)
  for _, field in ipairs(redis.call('ZRANGEBYSCORE', s.ends, '-inf', upto, 'LIMIT', '0', '500')) do
    local hold = parsed(redis.call('HGET', s.books, field))
    local live = hold and string.sub(field, 1, 2) == 'h:'
    if live then over(s, string.sub(field, 3), hold, at) else forget(s, field) end
  end
end

-- The lines of a scope: what an operator set or else what was given, with what was topped up.
local function lined(s)
  s.limit = (s.set or s.given) + s.extra
  s.soft = math.floor(s.limit / 100) * s.percent + math.floor(s.limit % 100 * s.percent / 100)
end

-- Every scope with its books, swept; nil if a window is not the one that it is now.
local function opened(at)
  local scopes, names, upto = {}, {}, string.format('%.0f', at)
  for i = 1, (#KEYS - 3) / 2 do
    local a = 5 + OWN + (i - 1) * 6
    local to = ARGV[a + 2]
    if to ~= '0' and (at < tonumber(ARGV[a + 1]) or at >= tonumber(to)) then return nil end
    local f = redis.call('HMGET', KEYS[i * 2 + 2], 'settled', 'held', 'unknown', 'extra', 'round', MINE)
    names[i] = string.match(KEYS[i * 2 + 2], '^(.*):[^:]*$')
    scopes[i] = {
      books = KEYS[i * 2 + 2], ends = KEYS[i * 2 + 3], name = names[i], given = tonumber(ARGV[a + 3]),
      percent = tonumber(ARGV[a + 4]), ttl = ARGV[a + 5], enforced = ARGV[a + 6] == '1',
      settled = tonumber(f[1] or 0), held = tonumber(f[2] or 0), unknown = tonumber(f[3] or 0),
      extra = tonumber(f[4] or 0), round = tonumber(f[5] or 0), mine = f[6],
    }
  end
  local set = #names > 0 and redis.call('HMGET', KEYS[3], unpack(names)) or {}
  for i, s in ipairs(scopes) do
    s.set = tonumber(set[i] or nil)
    lined(s)
    swept(s, at, upto)
  end
  return scopes
end

-- The call's hold, as it was when the books were opened.
local function live(s)
  return parsed(s.mine)
end

local function fits(s, bound, line)
  return not s.enforced or bound <= line - s.settled - s.held
end

local function epoch()
  local known = redis.call('GET', KEYS[1])
  if not known then redis.call('SET', KEYS[1], ARGV[3]) end
  return known or ARGV[3]
end

-- A hold that was taken under the present epoch, and is gone before it can have ended by itself: the store has lost
-- writes. So another epoch begins, which tells everyone who asks.
local function missed(taken_under, ends, at)
  if at < ends and redis.call('GET', KEYS[1]) == taken_under then
    redis.call('SET', KEYS[1], ARGV[3] .. LOST)
  end
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

-- The end of a reply: settled, held, unknown, limit, soft line and round of each scope, unless nobody asks for them.
local function closed(scopes, reply, unasked)
  local n = #reply
  for _, s in ipairs(scopes) do
    if not unasked then
      reply[n + 1], reply[n + 2], reply[n + 3] = s.settled, s.held, s.unknown
      reply[n + 4], reply[n + 5], reply[n + 6] = s.limit, s.soft, s.round
      n = n + 6
    end
    if s.ttl ~= '0' then
      redis.call('PEXPIRE', s.books, s.ttl)
      redis.call('PEXPIRE', s.ends, s.ttl)
    end
  end
  return reply
end

-- Whether an operator's act has been done already.
local function acted()
  for _, act in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    if cjson.decode(act).id == HOLD then return true end
  end
  return false
end

-- Keep an operator's act, and let the lines that spending has not reached now be crossed and told again.
local function record(s, act, amount, by, reason, at)
  local kept = { id = HOLD, act = act, amount = amount, by = by, reason = reason, at = at }
  redis.call('LPUSH', KEYS[2], cjson.encode(kept))
  redis.call('LTRIM', KEYS[2], 0, ACTS - 1)
  redis.call('PEXPIRE', KEYS[2], MEMORY)
  local again = 0
  if s.settled == 0 or s.settled < s.soft then again = redis.call('HDEL', s.books, 'crossed:soft') end
  if s.settled == 0 or s.settled < s.limit then again = again + redis.call('HDEL', s.books, 'crossed:hard') end
  if again > 0 then s.round = redis.call('HINCRBY', s.books, 'round', 1) end
end
