/* Reading a value of a statistic calls the input function of its type, and that may check a domain: the role that plans does this. The
   superuser then moves the rows. */
CREATE TABLE pgrehearse_twin.statistic (LIKE pg_catalog.pg_statistic);
CREATE TABLE pgrehearse_twin.extended_statistic (LIKE pg_catalog.pg_statistic_ext_data);
GRANT INSERT ON pgrehearse_twin.statistic, pgrehearse_twin.extended_statistic TO {role};
GRANT SELECT ON pg_catalog.pg_statistic, pg_catalog.pg_statistic_ext_data TO {role}
