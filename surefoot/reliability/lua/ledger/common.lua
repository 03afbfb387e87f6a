-- Prepended to every script of the ledger.
-- KEYS: 1 the claim (hash), 2 the list on which those who follow it are woken, 3 who follows it (set).
-- The claim: state (claimed, sent, done, unknown; free if its attempt ended without effect), owner, attempt, fence,
-- lease (ms when it ends), attempts (that reached the target), lands (ms until the request sent may land), doubt
-- (the same of an earlier request whose outcome nobody told), ended (the last fence that reported a failure),
-- result. A doubt stays until the claim is done.
local WAKE_KEPT = 60000

local function loaded()
  local names = { 'state', 'owner', 'attempt', 'fence', 'lease', 'attempts', 'lands', 'doubt', 'ended' }
  local claim = {}
  for i, value in ipairs(redis.call('HMGET', KEYS[1], unpack(names))) do
    local text = i == 1 or i == 2
    claim[names[i]] = text and (value or '') or tonumber(value or 0)
  end
  return claim
end

local function working(claim)
  return claim.state == 'claimed' or claim.state == 'sent'
end

local function write(ttl, ...)
  local fields = { ... }
  for i = 2, #fields, 2 do
    if type(fields[i]) == 'number' then fields[i] = string.format('%.0f', fields[i]) end
  end
  redis.call('HSET', KEYS[1], unpack(fields))
  redis.call('PEXPIRE', KEYS[1], ttl)
end

local function wake(outcome)
  local followers = redis.call('SCARD', KEYS[3])
  for _ = 1, followers do redis.call('RPUSH', KEYS[2], outcome) end
  if followers > 0 then redis.call('PEXPIRE', KEYS[2], WAKE_KEPT) end
  redis.call('DEL', KEYS[3])
end
