"""Pages for people: HTML made here from the answers of the query API, as the person who signed in may have them."""
