"""What is said and shown in posts: language, terms, copies, sentiment, categories, topics. Pure; never queries."""
