-- What each direction of each link carried, dropped and delayed.
SELECT link, direction,
       count(*) AS packets,
       count(*) FILTER (fate = 'dropped') AS dropped,
       sum(size) FILTER (fate = 'delivered') AS bytes,
       round(quantile_disc(queue_delay, 0.95) FILTER (fate = 'delivered') / 1e6, 2) AS queue_p95_ms
FROM 'packets.parquet'
GROUP BY ALL ORDER BY ALL;
