-- Prepended to every script of the ledger.
-- KEYS: 1 the claim (hash), 2 the list on which those who follow it are woken, 3 who follows it (set).
-- The claim: state (claimed, sent, done, unknown; free if its attempt ended without effect), owner, attempt, fence,
-- lease (ms when it ends), attempts (that reached the target), lands (ms until the request sent may land), doubt
-- (the same of an earlier request whose outcome nobody told), ended (the last fence that reported a failure),
-- result. A doubt stays until the claim is done.
local WAKE_KEPT = 60000

local function loaded()
  local f = redis.call('HMGET', KEYS[1], 'state', 'owner', 'attempt', 'fence', 'lease', 'attempts', 'lands', 'doubt',
    'ended', 'result')
  return {
    state = f[1] or '', owner = f[2] or '', attempt = tonumber(f[3] or 0), fence = tonumber(f[4] or 0),
    lease = tonumber(f[5] or 0), attempts = tonumber(f[6] or 0), lands = tonumber(f[7] or 0),
    doubt = tonumber(f[8] or 0), ended = tonumber(f[9] or 0), result = f[10] or '',
  }
end

local function working(claim)
  return claim.state == 'claimed' or claim.state == 'sent'
end

local function write(ttl, ...)
  redis.call('HSET', KEYS[1], ...) -- Redis writes whole numbers below 2^53 out in full
  redis.call('PEXPIRE', KEYS[1], ttl)
end

local function wake(outcome)
  local followers = redis.call('SCARD', KEYS[3])
  if followers == 0 then return end
  for _ = 1, followers do redis.call('RPUSH', KEYS[2], outcome) end
  redis.call('PEXPIRE', KEYS[2], WAKE_KEPT)
  redis.call('DEL', KEYS[3])
end
