"""Is it strange?"""
