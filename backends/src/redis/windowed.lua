-- Fixed and sliding windows and the calendar: counts in the window of now unless the limit is reached.
--   KEYS[1]  the bucket
--   ARGV[1]  now, in microseconds
--   ARGV[2]  the beginning of the window of now, in microseconds
--   ARGV[3]  the length of a sliding window, in microseconds; 0 when nothing is blended
--   ARGV[4]  the cost
--   ARGV[5]  the limit
--   ARGV[6]  how long the bucket is kept, in milliseconds
-- Answers {1 spent | 0 refused | -1 not a bucket of ours, the bucket as it was}. Every number stays below 2^53, where
-- floating point is exact; divisions are made exact by taking the rest away first.
local now, begin, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local cost, limit = tonumber(ARGV[4]), tonumber(ARGV[5])

local function divided_up(number, by)
  local rest = math.fmod(number, by)
  return (number - rest) / by + (rest > 0 and 1 or 0)
end

local held = redis.call('GET', KEYS[1])
local mark, current, previous = 0, 0, 0
if held then
  local first, second, third = string.match(held, '^1 (%d+) (%d+) (%d+)$')
  if not first then
    return { -1, '' }
  end
  mark, current, previous = tonumber(first), tonumber(second), tonumber(third)
end

if mark < begin then
  previous = mark + window == begin and current or 0
  mark, current = begin, 0
elseif mark > begin then
  -- A clock that is behind counts at the beginning of the later window, where it gains nothing.
  now = mark
end

local weighed = 0
if window > 0 then
  local left = divided_up(mark - math.fmod(mark, window) + window - now, 1000)
  -- More than the limit may have been counted under an earlier configuration; it weighs no more than the limit.
  weighed = divided_up(math.min(previous, limit) * left, window / 1000)
else
  previous = 0
end

if cost > limit or current + cost + weighed > limit then
  return { 0, held or '' }
end
local kept = string.format('1 %.0f %.0f %.0f', mark, current + cost, previous)
redis.call('SET', KEYS[1], kept, 'PX', ARGV[6])
return { 1, held or '' }
