"""The benchmark of `make bench`: fill a database, serve the product and a bare page beside it, measure, report."""
