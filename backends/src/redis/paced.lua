-- Token and leaky buckets: moves the mark of a bucket on unless it lies too far ahead.
--   KEYS[1]  the bucket
--   ARGV[1]  now, in microseconds
--   ARGV[2]  by how much the cost moves the mark, in microseconds
--   ARGV[3]  where the mark may lie at most before it is moved, in microseconds; -1 when the cost is above the limit
--   ARGV[4]  how long the bucket is kept, in milliseconds
-- Answers {1 spent | 0 refused | -1 not a bucket of ours, the bucket as it was}. Every number stays below 2^53, where
-- floating point is exact.
local now, advance, bound = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local held = redis.call('GET', KEYS[1])
local mark = 0
if held then
  local text = string.match(held, '^1 (%d+) %d+ %d+$')
  if not text then
    return { -1, '' }
  end
  mark = tonumber(text)
end
local from = math.max(mark, now)
if from > bound then
  return { 0, held or '' }
end
redis.call('SET', KEYS[1], string.format('1 %.0f 0 0', from + advance), 'PX', ARGV[4])
return { 1, held or '' }
