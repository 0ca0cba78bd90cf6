"""Commands of the `scrapy` program: crawl (judged), replay, savepage, db, doctor."""
